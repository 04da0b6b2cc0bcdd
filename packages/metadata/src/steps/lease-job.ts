import type { LeasedJob, Milliseconds } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `JobQueue.leaseJob`. Whoever is taking another job is not waited for. */
export function* leaseJob(
  sql: Sql,
  { kinds, token, lease }: { kinds: readonly string[]; token: string; lease: Milliseconds },
): Step<LeasedJob | null> {
  const due = yield* first<{ id: number }>(sql`
    SELECT id FROM jobs
    WHERE failed_at IS NULL AND run_after <= ${sql.now}
      AND (leased_until IS NULL OR leased_until <= ${sql.now}) AND kind IN ${sql.texts(kinds)}
    ORDER BY run_after LIMIT 1 ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (due === null) return null
  const job = yield* first<Omit<LeasedJob, 'key'> & { unique_key: string | null }>(sql`
    UPDATE jobs SET leased_until = ${sql.now} + ${lease}, lease_token = ${token}, attempts = attempts + 1,
      wanted_again = FALSE
    WHERE id = ${due.id}
    RETURNING id, kind, unique_key, payload, attempts`)
  if (job === null) return null
  const { id, kind, unique_key: key, payload, attempts } = job
  return { id, kind, key, payload, attempts }
}
