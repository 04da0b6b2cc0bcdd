#!/usr/bin/env node
// Runs a tool of this repository with the runtime that it pins, whatever Node (≥ 20) the machine has:
//   node tools/with-runtime.mjs <file.ts> [arguments]
//   node tools/with-runtime.mjs --exec <command of node_modules/.bin> [arguments]
// Dependencies, those for development included, are installed first if they are missing.
import { existsSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './runtime/install.mjs'
import { findRuntime } from './runtime/locate.mjs'
import { runInstead } from './runtime/run-child.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

try {
  const given = process.argv.slice(2)
  const isCommand = given[0] === '--exec'
  const [program, ...args] = isCommand ? given.slice(1) : given
  if (program === undefined) {
    throw new Error('Name a file to run: node tools/with-runtime.mjs [--exec] <program> [arguments]')
  }
  await ensureInstalled(root, 'development')
  const runtime = findRuntime(root)
  const commands = join(root, 'node_modules', '.bin')
  const file = isCommand ? join(commands, program) : resolve(root, program)
  if (!existsSync(file)) throw new Error(`There is no ${file}.`)
  const path = [commands, dirname(runtime), process.env.PATH].join(delimiter)
  runInstead(runtime, [file, ...args], { ...process.env, PATH: path })
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
