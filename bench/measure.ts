import { hasAb, runAb } from './client/ab.ts'
import type { ClientResult } from './client/in-parallel.ts'
import type { Job } from './client/jobs/job.ts'
import { runJob } from './client/run-job.ts'
import { runWrk } from './client/wrk.ts'
import type { Server } from './peers/server.ts'
import { treeCpuSeconds, watchMemory } from './process-tree.ts'
import type { Sample } from './rows/row.ts'

/** Watches the registry's processes while the client works. */
async function watched(server: Server, bytes: number, work: () => Promise<ClientResult>): Promise<Sample> {
  const memory = watchMemory(server.pid)
  const cpuOf = (pid: number | null): number => (pid === null ? NaN : treeCpuSeconds(pid))
  const [ours, database] = [cpuOf(server.pid), cpuOf(server.databasePid)]
  try {
    const result = await work()
    const cpuSeconds = cpuOf(server.pid) - ours
    const databaseCpuSeconds = cpuOf(server.databasePid) - database
    const peakMemory = memory.stop()
    return { ...result, bytes, cpuSeconds, databaseCpuSeconds, idleMemory: server.idleMemory, peakMemory }
  } finally {
    memory.stop()
  }
}

/**
 * Lets the client do a job, and measures the registry meanwhile.
 *
 * @param bytes content that the job moves
 * @param native whether wrk and ab may send small requests; they are cheaper than any client in this runtime
 */
export async function measureJob(server: Server, job: Job, bytes: number, native: boolean): Promise<Sample> {
  if (native && job.kind === 'requests' && job.method === 'HEAD' && (await hasAb())) {
    const { connections, seconds } = job
    const path = job.paths[0] ?? '/'
    return await watched(server, bytes, () => runAb(server.port, { path, connections, seconds }))
  }
  if (native && job.kind === 'requests' && job.method === 'GET') {
    return await watched(server, bytes, () => runWrk(server.port, job))
  }
  return await runJob(server.port, job, (work) => watched(server, bytes, work))
}
