import type { NewJob } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `JobQueue.enqueueJob`. */
export function* enqueueJob(sql: Sql, { kind, key, payload, delay }: NewJob): Step<void> {
  yield* run(sql`
    INSERT INTO jobs (kind, unique_key, payload, run_after, created_at)
    VALUES (${kind}, ${key}, ${payload}, ${sql.now} + ${delay}, ${sql.now})
    ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO UPDATE SET
      payload = excluded.payload,
      run_after = CASE
        WHEN jobs.failed_at IS NULL AND jobs.run_after < excluded.run_after THEN jobs.run_after
        ELSE excluded.run_after
      END,
      wanted_again = jobs.lease_token IS NOT NULL,
      attempts = CASE WHEN jobs.failed_at IS NULL THEN jobs.attempts ELSE 0 END,
      failed_at = NULL`)
}
