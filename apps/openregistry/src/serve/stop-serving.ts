import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '@openregistry/server/config'
import type { RunningProcess } from '../composition.ts'

/** Says that it is about to stop, gives balancers the time to see it, then finishes what is in flight. */
export async function stopServing(running: RunningProcess, { limits }: Config): Promise<void> {
  running.drain()
  await sleep(limits.shutdown_delay)
  await running.stop()
}
