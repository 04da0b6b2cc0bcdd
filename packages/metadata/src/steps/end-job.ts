import type { JobLease, Milliseconds } from '@openregistry/core'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `JobQueue.extendJob`. A lease that ran out and that nobody took is still held: to go on is better than to begin
 * again.
 */
export function* extendJob(sql: Sql, { id, token }: JobLease, lease: Milliseconds): Step<boolean> {
  return yield* hit(sql`
    UPDATE jobs SET leased_until = ${sql.now} + ${lease} WHERE id = ${id} AND lease_token = ${token} RETURNING 1`)
}

/** See `JobQueue.finishJob`. */
export function* finishJob(sql: Sql, { id, token }: JobLease, again: Milliseconds | null): Step<boolean> {
  if (again === null) {
    const gone = yield* hit(sql`
      DELETE FROM jobs WHERE id = ${id} AND lease_token = ${token} AND NOT wanted_again RETURNING 1`)
    if (gone) return true
  }
  return yield* hit(sql`
    UPDATE jobs SET run_after = CASE WHEN wanted_again THEN run_after ELSE ${sql.now} + ${again ?? 0} END,
      wanted_again = FALSE, attempts = 0, last_error = NULL, leased_until = NULL, lease_token = NULL
    WHERE id = ${id} AND lease_token = ${token}
    RETURNING 1`)
}

/** See `JobQueue.failJob`. What was asked for anew meanwhile is not given up. */
export function* failJob(
  sql: Sql,
  { id, token }: JobLease,
  error: string,
  retry: Milliseconds | null,
): Step<boolean> {
  return yield* hit(sql`
    UPDATE jobs SET run_after = ${sql.now} + ${retry ?? 0}, last_error = ${error},
      failed_at = CASE WHEN ${retry === null} AND NOT wanted_again THEN ${sql.now} ELSE NULL END,
      attempts = CASE WHEN wanted_again THEN 0 ELSE attempts END,
      wanted_again = FALSE, leased_until = NULL, lease_token = NULL
    WHERE id = ${id} AND lease_token = ${token}
    RETURNING 1`)
}
