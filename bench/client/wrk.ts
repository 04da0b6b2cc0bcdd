import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientResult } from './in-parallel.ts'

const script = fileURLToPath(new URL('wrk.lua', import.meta.url))

/** The line that `wrk.lua` prints; wrk's own report stands before it. @throws Error when an answer was not a success */
export function parseWrk(output: string): ClientResult {
  const line = output.split('\n').findLast((candidate) => candidate.startsWith('{'))
  if (line === undefined) throw new Error(`wrk did not finish: ${output.trim()}`)
  const { requests, duration, p50, p99, failures } = JSON.parse(line) as Record<string, number>
  if (!requests || !duration || p50 === undefined || p99 === undefined)
    throw new Error(`wrk measured nothing: ${line}`)
  if (failures !== 0) throw new Error(`${failures} of ${requests} requests failed`)
  return { seconds: duration / 1e6, operations: requests, p50: p50 / 1000, p99: p99 / 1000 }
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.once('error', reject)
  child.once('close', () => resolve(output))
  return await promise
}

/** Whether wrk is installed. */
export async function hasWrk(): Promise<boolean> {
  return await outputOf('wrk', ['-v']).then(
    (output) => output.startsWith('wrk'),
    () => false,
  )
}

/** GETs of the paths in turn, from one thread of wrk. */
export async function runWrk(
  port: number,
  job: { paths: readonly string[]; accept: string; connections: number; seconds: number },
): Promise<ClientResult> {
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-wrk-'))
  try {
    const paths = join(folder, 'paths')
    await writeFile(paths, job.paths.map((path) => `${path}\n`).join(''))
    const shape = [
      '-t1',
      `-c${job.connections}`,
      `-d${Math.ceil(job.seconds)}s`,
      '--timeout',
      '10s',
      '--latency',
    ]
    return parseWrk(
      await outputOf('wrk', [...shape, '-s', script, `http://127.0.0.1:${port}/`, '--', paths, job.accept]),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
