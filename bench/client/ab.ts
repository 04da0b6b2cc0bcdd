import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ClientResult } from './in-parallel.ts'

const run = promisify(execFile)

/** More requests than any registry answers in the time; `ab` stops at whichever comes first. */
const endless = 100_000_000

/**
 * What `ab` reports, and its table of percentiles (`percentage,milliseconds`).
 * @throws Error when it did not finish or an answer was not a success.
 */
export function parseAb(report: string, percentiles: string): ClientResult {
  const number = (label: string): number | null => {
    const match = new RegExp(`^${label}:\\s+([0-9.]+)`, 'm').exec(report)
    return match?.[1] === undefined ? null : Number(match[1])
  }
  const operations = number('Complete requests')
  const seconds = number('Time taken for tests')
  if (!operations || !seconds) throw new Error(`ab did not finish: ${report.trim().slice(-300)}`)
  const failed = (number('Failed requests') ?? 0) + (number('Non-2xx responses') ?? 0)
  if (failed > 0) throw new Error(`${failed} of ${operations} requests failed`)
  const at = (percent: number): number => {
    const line = percentiles.split('\n').find((candidate) => candidate.startsWith(`${percent},`))
    return Number(line?.split(',')[1] ?? Number.NaN)
  }
  return { seconds, operations, p50: at(50), p99: at(99) }
}

/** Whether `ab` (apache2-utils) is installed. */
export async function hasAb(): Promise<boolean> {
  return await run('ab', ['-V']).then(
    () => true,
    () => false,
  )
}

/**
 * HEAD requests for one path on kept connections. wrk cannot send them (it waits for a body), and a client written in
 * JavaScript takes as much of the machine for itself as the registry needs.
 */
export async function runAb(
  port: number,
  job: { path: string; connections: number; seconds: number },
): Promise<ClientResult> {
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-ab-'))
  try {
    const table = join(folder, 'percentiles')
    const shape = ['-i', '-k', '-q', '-c', String(job.connections), '-t', String(Math.ceil(job.seconds))]
    const url = `http://127.0.0.1:${port}${job.path}`
    const { stdout } = await run('ab', [...shape, '-n', String(endless), '-e', table, url])
    return parseAb(stdout, await readFile(table, 'utf8'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
