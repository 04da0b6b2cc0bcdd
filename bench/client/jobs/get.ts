import { inParallel } from '../in-parallel.ts'
import type { ReadyJob } from './job.ts'

/** Asks once for something large of which only the least size is known. */
export interface GetJob {
  kind: 'get'
  path: string
  /** Bytes that the answer has at least. */
  least: number
}

/** Nothing is to be prepared. */
export function prepareGet(port: number, { path, least }: GetJob): ReadyJob {
  return () =>
    inParallel(port, 1, [path], async (connection) => {
      const { status, bodyBytes, bodyStart } = await connection.send({ method: 'GET', path })
      if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${bodyStart}`)
      if (bodyBytes < least) throw new Error(`${path}: ${bodyBytes} bytes came, expected ${least} at least`)
    })
}
