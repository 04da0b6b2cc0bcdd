import { Latencies } from '../../statistics.ts'
import { Connection } from '../connection.ts'
import type { ClientResult } from '../in-parallel.ts'
import { manifestOf } from '../images.ts'
import { putManifest } from '../registry-calls.ts'
import type { ReadyJob } from './job.ts'

/**
 * Pushes one more tag and asks for the CID of its repository, a few times; only the asking is counted. It is asked once
 * before, so that all that was pushed earlier is in a directory already.
 */
export interface NewestCidJob {
  kind: 'newest-cid'
  repository: string
  /** Blobs of the repository that the new images are of, the config first. */
  blobs: readonly { digest: string; size: number }[]
  count: number
}

/** Nothing is to be prepared. */
export function prepareNewestCid(port: number, job: NewestCidJob): ReadyJob {
  return async (): Promise<ClientResult> => {
    const { repository, count } = job
    const [config, ...layers] = job.blobs.map((blob) => ({ ...blob, pieces: () => [] }))
    if (!config) throw new Error('nothing was pushed before')
    using connection = await Connection.open(port)
    await askForCid(connection, repository)
    const latencies = new Latencies()
    let seconds = 0
    for (let index = 0; index < count; index++) {
      const tag = `newest-${index}`
      await putManifest(connection, repository, tag, manifestOf(config, layers, tag))
      const begin = performance.now()
      await askForCid(connection, repository)
      const took = performance.now() - begin
      latencies.add(took)
      seconds += took / 1000
    }
    const { p50, p99 } = latencies.summary()
    return { seconds, operations: count, p50, p99 }
  }
}

/** What `openregistry cid <repository>` asks. */
async function askForCid(connection: Connection, repository: string): Promise<void> {
  const path = `/api/v1/repositories/${encodeURIComponent(repository)}/cid`
  const { status, bodyStart } = await connection.send({ method: 'GET', path })
  if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${bodyStart}`)
}
