import { setTimeout as delay } from 'node:timers/promises'
import { treeCpuSeconds } from '../process-tree.ts'
import type { Server } from '../peers/server.ts'

/** Registries that look at all they have after a start are given so long, in seconds. */
const patience = 60
/** Seconds between two looks. */
const interval = 1
/** Less of one core than this is calm. */
const calmShare = 0.1

/** Waits until a registry that was just started has nothing more to do. */
export async function untilCalm(server: Server): Promise<void> {
  let before = treeCpuSeconds(server.pid)
  for (let waited = 0; waited < patience; waited += interval) {
    await delay(interval * 1000)
    const now = treeCpuSeconds(server.pid)
    if (now - before < calmShare * interval) return
    before = now
  }
}
