import { setTimeout as delay } from 'node:timers/promises'
import { treeCpuSeconds, treeMemory } from '../process-tree.ts'
import { atMost, duration, idleMemory } from './metrics.ts'
import { emptyGround, type Sample, type Suite, type Turn } from './row.ts'

/** How long the server took to start, and what it needs after a while without requests. */
export async function startSample({ server, sizes }: Turn): Promise<Sample> {
  const cpuSeconds = treeCpuSeconds(server.pid)
  await delay(sizes.idleSeconds * 1000)
  const memory = treeMemory(server.pid)
  return {
    seconds: server.startSeconds,
    operations: 1,
    bytes: 0,
    p50: NaN,
    p99: NaN,
    cpuSeconds,
    databaseCpuSeconds: NaN,
    idleMemory: memory,
    peakMemory: memory,
  }
}

/** A registry that has just been started on an empty folder. */
export const starts: Suite = {
  servers: 'fresh',
  prepare: () => Promise.resolve(emptyGround),
  rows: [
    {
      id: 'start',
      metrics: [duration('cold start to first answer', atMost(1)), idleMemory('idle memory', atMost(150))],
      run: startSample,
    },
  ],
}
