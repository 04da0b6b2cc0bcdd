import { prepareBlob } from '../../content.ts'
import { inParallel } from '../in-parallel.ts'
import { pushBlob, type PushWay } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/** Pushes blobs that nobody has yet, each over one of `parallel` connections. */
export interface PushJob {
  kind: 'push'
  repository: string
  way: PushWay
  count: number
  /** Bytes of each. */
  size: number
  parallel: number
}

/** Makes the blobs' digests. */
export function preparePush(port: number, job: PushJob): ReadyJob {
  const blobs = Array.from({ length: job.count }, (_, seed) => prepareBlob(seed, job.size))
  return () =>
    inParallel(port, job.parallel, blobs, (connection, blob) =>
      pushBlob(connection, job.repository, blob, job.way),
    )
}
