import type { JobKind } from '../../jobs/job-kind.ts'
import type { Ports } from '../../settings.ts'
import { repair } from './repair.ts'

/** Mends what is damaged from other places here that have the same content, without anybody's asking. */
export function repairJob(ports: Ports): JobKind {
  return {
    name: 'registry.repair',
    event: 'repair',
    period: 600_000,
    attempts: 10,
    async run({ signal }) {
      const { repaired, remaining } = await repair(ports, { signal })
      return repaired.length === 0 ? null : { repaired: repaired.length, remaining: remaining.length }
    },
  }
}
