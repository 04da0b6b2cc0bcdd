import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Sample } from './rows/row.ts'

/** Runs a program of the bench in a process of its own. @returns its only message. @throws Error when it ends without one. */
export async function messageOf<T>(program: URL, args: readonly string[]): Promise<T> {
  const child = fork(program, args)
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${program.pathname} ended with ${String(code)}`)
  })
  const [message] = (await Promise.race([once(child, 'message'), exited])) as [T]
  return message
}

/**
 * One pass over some content as a turn of the bench.
 * @param times seconds of the clock, and of CPU.
 */
export function passSample(bytes: number, { total, cpu }: { total: number; cpu: number }): Sample {
  return {
    seconds: total,
    operations: 1,
    bytes,
    p50: total * 1000,
    p99: total * 1000,
    cpuSeconds: cpu,
    databaseCpuSeconds: NaN,
    idleMemory: NaN,
    peakMemory: NaN,
  }
}
