import { prepareBlob } from '../../content.ts'
import { inParallel } from '../in-parallel.ts'
import { pushBlob } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/** Pushes small blobs without a pause for a while, for what goes on beside it. */
export interface SteadyJob {
  kind: 'steady'
  repository: string
  /** Bytes of each. */
  size: number
  parallel: number
  seconds: number
}

/** More blobs than any registry takes in the time. */
const endless = 10_000_000

/** Blobs are made while they are pushed: nobody knows how many it takes. */
export function prepareSteady(port: number, job: SteadyJob): ReadyJob {
  const queue = { length: endless } as readonly undefined[]
  let seed = 0
  return () =>
    inParallel(
      port,
      job.parallel,
      queue,
      (connection) => pushBlob(connection, job.repository, prepareBlob(seed++, job.size), 'put'),
      job.seconds,
    )
}
