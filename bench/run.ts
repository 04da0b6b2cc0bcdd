// `npm run bench`: see README.md beside this file.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hasWrk } from './client/wrk.ts'
import { lookAtMachine } from './machine.ts'
import { parseOptions, usage, type Options } from './options.ts'
import { findPeers, peers } from './peers/index.ts'
import { killAll } from './peers/server.ts'
import { markdownReport, type Run } from './report/report.ts'
import { suites } from './rows/index.ts'
import { fullSizes, quickSizes, type Sizes } from './sizes.ts'
import { runSuite, type Plan, type Result } from './turns.ts'

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Writes back all dirty pages. */
async function settle(): Promise<void> {
  await promisify(execFile)('sync')
}

async function write(options: Options, run: Run): Promise<void> {
  const report = markdownReport(run)
  process.stdout.write(`${report}\n`)
  if (options.out !== null) await writeFile(options.out, `${report}\n`)
  if (options.json === null) return
  const { machine, found, results, repeat, quick } = run
  const versions = Object.fromEntries(found.map(({ peer, version }) => [peer.label, version]))
  await writeFile(options.json, `${JSON.stringify({ machine, versions, repeat, quick, results }, null, 2)}\n`)
}

function sizesOf({ quick, tags, repositories }: Options): Sizes {
  const sizes = quick ? quickSizes : fullSizes
  return { ...sizes, tags: tags ?? sizes.tags, repositories: repositories ?? sizes.repositories }
}

async function bench(options: Options, folder: string): Promise<void> {
  const { repeat, quick } = options
  const machine = await lookAtMachine(folder)
  if (machine.fileSystem === 'tmpfs')
    say('the data would be in memory, not on a disk: name another folder with --dir')
  const found = await findPeers(options.peers, say)
  if (found.length === 0) throw new Error('no registry is left to measure')
  const wrk = await hasWrk()
  if (!wrk) say('wrk is not installed: small requests are sent by the own client, which costs more')
  const plan: Plan = { found, sizes: sizesOf(options), repeat, folder, wrk, settle, say }
  const results: Result[] = []
  for (const suite of suites) results.push(...(await runSuite(suite, options.rows, plan)))
  const rows = suites.flatMap((suite) => suite.rows).filter(({ id }) => options.rows.has(id))
  await write(options, { machine, found, rows, results, repeat, quick })
  if (results.some(({ failure }) => failure !== null)) process.exitCode = 1
}

/** Says which rows and peers there are. */
async function list(): Promise<void> {
  const lines = suites
    .flatMap(({ rows }) => rows)
    .map(({ id, metrics }) => `${id.padEnd(22)}${metrics[0]?.title ?? ''}`)
  for (const { id, label, find } of peers) {
    const found = await find()
    lines.push(`${id.padEnd(22)}${label}: ${'missing' in found ? found.missing : found.version}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(usage)
    return
  }
  if (options.list) {
    await list()
    return
  }
  const folder = await mkdtemp(join(options.folder, 'openregistry-bench-'))
  // PostgreSQL runs as a user of its own.
  await chmod(folder, 0o711)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      killAll()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      process.exit(130)
    })
  }
  try {
    await bench(options, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
})
