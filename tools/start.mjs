#!/usr/bin/env node
// `npm start`: installs what the registry needs, if nothing is installed yet, and serves.
//   npm start -- --help
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './runtime/install.mjs'
import { findRuntime } from './runtime/locate.mjs'
import { runInstead } from './runtime/run-child.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

try {
  await ensureInstalled(root, 'production')
  findRuntime(root)
  runInstead(join(root, 'bin', 'openregistry'), ['serve', ...process.argv.slice(2)], process.env)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
