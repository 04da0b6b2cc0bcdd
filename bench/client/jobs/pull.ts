import { inParallel } from '../in-parallel.ts'
import { pullBlob } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/** Pulls one blob once over each of `parallel` connections, at the same time. */
export interface PullJob {
  kind: 'pull'
  repository: string
  blob: { digest: string; size: number }
  parallel: number
}

/** Nothing is to be prepared. */
export function preparePull(port: number, job: PullJob): ReadyJob {
  const pulls = Array.from({ length: job.parallel }, () => job.blob)
  return () =>
    inParallel(port, job.parallel, pulls, (connection, blob) => pullBlob(connection, job.repository, blob))
}
