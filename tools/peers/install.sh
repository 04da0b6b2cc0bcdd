#!/bin/sh
# Installs the programs that the tests and the bench compare with or drive:
# other registries and unmodified clients, each at one exact version.
#
#   tools/peers/install.sh                  build every Go peer that is missing
#   tools/peers/install.sh crane helm       only these
#   tools/peers/install.sh --list [name…]   name, version, path, present|missing
#   tools/peers/install.sh --debian         the Debian packages (root, apt)
#
# A Go peer is one folder beside this script with a go.mod, which names its
# package and version, and a go.sum, which verifies every byte of its source.
# The result is <peers>/<name>-<version>/<name>, where <peers> is
# $OPENREGISTRY_PEERS or openregistry/peers in the user's cache folder: never
# inside the checkout, so that a fresh clone finds what an older one built.
#
# OPENREGISTRY_PEERS_JOBS  how many peers are built at a time (default 1; one
#                          build already uses every core)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
peers=${OPENREGISTRY_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/openregistry/peers}
case $peers in
  /*) ;;
  *) peers=$PWD/$peers ;;
esac
jobs=${OPENREGISTRY_PEERS_JOBS:-1}

say() { printf '%s\n' "$*" >&2; }

# What the end-to-end tests and the bench call, and what those programs need as
# root without a network and without systemd. runc runs containers for docker,
# podman, buildah and containerd alike, on cgroups v1 and v2 (crun refuses the
# hybrid layout); uidmap, netavark, slirp4netns are left out on purpose: every
# container here runs as root with --network none.
debian_packages='
  docker.io containerd runc tini
  podman buildah skopeo conmon golang-github-containers-common iptables
  umoci docker-registry
  postgresql pgbouncer haproxy
  wrk apache2-utils
  busybox-static openssl jq curl ca-certificates
  chromium docker-compose systemd
'

names() {
  for module in "$here"/*/go.mod; do
    basename -- "$(dirname -- "$module")"
  done
}

# The package to build is the one `tool` line of the module…
package() { awk '$1 == "tool" { print $2; exit }' "$here/$1/go.mod"; }

# …and its version is that of the requirement whose module path it lies in.
version() {
  awk -v package="$(package "$1")" '
    { sub(/^require /, ""); sub(/^[ \t]+/, "") }
    index(package "/", $1 "/") == 1 && $2 ~ /^v[0-9]/ { print $2; exit }' "$here/$1/go.mod"
}

path() { printf '%s/%s-%s/%s' "$peers" "$1" "$(version "$1")" "$1"; }

list() {
  for name in "$@"; do
    file=$(path "$name")
    state=missing
    [ -x "$file" ] && state=present
    printf '%-14s %-10s %-8s %s\n' "$name" "$(version "$name")" "$state" "$file"
  done
}

build() {
  name=$1 file=$(path "$1")
  if [ -x "$file" ]; then
    say "$name $(version "$name"): already there"
    return 0
  fi
  say "$name $(version "$name"): building…"
  start=$(date +%s)
  mkdir -p "$(dirname -- "$file")"
  # Another name until it is whole: a build that was cut short never looks done.
  part=$file.part.$$
  # -mod=readonly together with go.sum refuses anything but the committed bytes,
  # which makes the checksum database (not reachable everywhere) superfluous.
  # GOFLAGS is set, not extended: the caller's flags must not change the result.
  # The compiler's output matters only when it fails.
  if log=$(cd "$here/$name" && GOSUMDB=off GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 \
    go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$part" "$(package "$name")" 2>&1); then
    mv -f -- "$part" "$file"
    say "$name $(version "$name"): built in $(($(date +%s) - start)) s"
  else
    rm -f -- "$part"
    say "$log"
    say "$name $(version "$name"): FAILED"
    return 1
  fi
}

# Builds $jobs at a time and goes on after a failure; names all that failed.
build_all() {
  command -v go >/dev/null || {
    say 'Go is missing. Install Go 1.26 or newer and put it on PATH, then run this again.'
    exit 1
  }
  printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh "$0" --one '{}' || true
  failed=''
  for name in "$@"; do
    [ -x "$(path "$name")" ] || failed="$failed $name"
  done
  if [ -n "$failed" ]; then
    say "not built:$failed"
    exit 1
  fi
}

# Debian starts a service on installation unless policy-rc.d says no (exit 101).
# The tests start their own daemons with their own folders, so none may run.
debian() {
  missing=''
  for package in $debian_packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    say 'Debian packages: all there'
    return 0
  fi
  say "Debian packages: installing$missing"
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
  fi
  # A broken third-party source must not stop what Debian itself can give.
  apt-get update -qq || say 'apt-get update failed; going on with the lists there are'
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $missing </dev/null
  # Nor may they start at the next boot.
  if command -v systemctl >/dev/null; then
    systemctl disable docker.service docker.socket containerd.service \
      docker-registry.service podman.service podman.socket postgresql.service >/dev/null 2>&1 || true
  fi
}

action=build_all
case ${1:-} in
  --list) action=list && shift ;;
  --one) action=build && shift ;; # one peer; build_all calls this
  --debian) debian && exit 0 ;;
  -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" && exit 0 ;;
  -*)
    say "unknown option $1 (see --help)"
    exit 2
    ;;
esac

# shellcheck disable=SC2046 # names have no spaces
[ $# -gt 0 ] || set -- $(names)
for name in "$@"; do
  [ -f "$here/$name/go.mod" ] || {
    say "unknown peer '$name'; there are: $(names | tr '\n' ' ')"
    exit 2
  }
done
"$action" "$@"
