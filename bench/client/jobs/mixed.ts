import { prepareBlob, type PreparedBlob } from '../../content.ts'
import { inParallel } from '../in-parallel.ts'
import { pullBlob, pushBlob } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/** Three pulls for each push. */
export interface MixedJob {
  kind: 'mixed'
  repository: string
  /** Pulled in turn. */
  blobs: readonly { digest: string; size: number }[]
  /** Pulls and pushes together. */
  operations: number
  /** Bytes of each push. */
  size: number
  parallel: number
}

type Operation = { pull: { digest: string; size: number } } | { push: PreparedBlob }

/** Lays out the order, the same for everybody, and makes the blobs to push. */
export function prepareMixed(port: number, job: MixedJob): ReadyJob {
  const operations = Array.from({ length: job.operations }, (_, index): Operation => {
    if (index % 4 === 3) return { push: prepareBlob(index, job.size) }
    const blob = job.blobs[index % job.blobs.length]
    if (!blob) throw new Error('there is no blob to pull')
    return { pull: blob }
  })
  return () =>
    inParallel(port, job.parallel, operations, (connection, operation) =>
      'pull' in operation
        ? pullBlob(connection, job.repository, operation.pull)
        : pushBlob(connection, job.repository, operation.push, 'put'),
    )
}
