import { Latencies } from '../statistics.ts'
import { Connection } from './connection.ts'

/** What a client saw. Latencies are milliseconds of one operation each. */
export interface ClientResult {
  seconds: number
  operations: number
  p50: number
  p99: number
}

/**
 * Works through a queue over several connections, which are open before the clock starts.
 *
 * @param operations the queue, taken in order by whichever connection is free
 * @param limitSeconds nothing more is begun after so long
 */
export async function inParallel<T>(
  port: number,
  connections: number,
  operations: readonly T[],
  run: (connection: Connection, operation: T) => Promise<void>,
  limitSeconds = Infinity,
): Promise<ClientResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  try {
    const latencies = new Latencies()
    let next = 0
    const start = performance.now()
    const work = async (connection: Connection): Promise<void> => {
      for (;;) {
        const index = next++
        const begin = performance.now()
        if (index >= operations.length || begin - start > limitSeconds * 1000) return
        await run(connection, operations[index] as T)
        latencies.add(performance.now() - begin)
      }
    }
    await Promise.all(open.map(work))
    const seconds = (performance.now() - start) / 1000
    const { count, p50, p99 } = latencies.summary()
    return { seconds, operations: count, p50, p99 }
  } finally {
    for (const connection of open) connection[Symbol.dispose]()
  }
}
