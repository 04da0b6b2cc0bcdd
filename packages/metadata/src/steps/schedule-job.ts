import type { Milliseconds } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `JobQueue.scheduleJob`. */
export function* scheduleJob(sql: Sql, kind: string, delay: Milliseconds): Step<void> {
  yield* run(sql`
    INSERT INTO jobs (kind, unique_key, payload, run_after, created_at)
    VALUES (${kind}, '', '', ${sql.now} + ${delay}, ${sql.now})
    ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO UPDATE SET run_after = excluded.run_after
    WHERE jobs.lease_token IS NULL AND jobs.run_after > excluded.run_after`)
}
