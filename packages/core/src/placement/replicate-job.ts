import type { JobKind } from '../jobs/job-kind.ts'
import type { Ports } from '../settings.ts'
import { replicate } from './replicate.ts'

/** Makes second copies of what is new, all the time. */
export function replicateJob(ports: Ports): JobKind {
  return {
    name: 'registry.replicate',
    event: 'replication',
    period: 15_000,
    attempts: 10,
    async run({ signal }) {
      const { blobs, bytes: size, unreadable } = await replicate(ports, signal)
      return blobs + unreadable === 0 ? null : { blobs, size, unreadable }
    },
  }
}
