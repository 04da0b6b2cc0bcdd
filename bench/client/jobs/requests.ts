import { Latencies } from '../../statistics.ts'
import { Connection } from '../connection.ts'
import type { ClientResult } from '../in-parallel.ts'
import type { ReadyJob } from './job.ts'

/** Sends small requests as fast as they are answered. Used where wrk is missing, and for HEAD, which wrk cannot do. */
export interface RequestsJob {
  kind: 'requests'
  method: 'GET' | 'HEAD'
  /** Asked for in turn. */
  paths: readonly string[]
  accept: string
  connections: number
  seconds: number
}

/** Makes the bytes of every request. */
export function prepareRequests(port: number, job: RequestsJob): ReadyJob {
  const requests = job.paths.map((path) =>
    Buffer.from(`${job.method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: ${job.accept}\r\n\r\n`),
  )
  return async () => {
    const open = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(port)))
    try {
      return await askInTurn(open, job, requests)
    } finally {
      for (const connection of open) connection[Symbol.dispose]()
    }
  }
}

async function askInTurn(
  open: readonly Connection[],
  { method, paths, seconds }: RequestsJob,
  requests: readonly Buffer[],
): Promise<ClientResult> {
  const latencies = new Latencies()
  const start = performance.now()
  const end = start + seconds * 1000
  let next = 0
  const ask = async (connection: Connection): Promise<void> => {
    for (let begin = performance.now(); begin < end;) {
      const index = next++ % requests.length
      const { status, bodyStart } = await connection.sendRaw(requests[index] as Buffer, method === 'HEAD')
      if (status !== 200)
        throw new Error(`${method} ${paths[index]} was answered with ${status}: ${bodyStart}`)
      const now = performance.now()
      latencies.add(now - begin)
      begin = now
    }
  }
  await Promise.all(open.map(ask))
  const { count, p50, p99 } = latencies.summary()
  return { seconds: (performance.now() - start) / 1000, operations: count, p50, p99 }
}
