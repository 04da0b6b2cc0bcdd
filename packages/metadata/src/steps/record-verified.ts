import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `ScrubStore.recordVerified`. Rows that somebody else has locked are skipped rather than waited for, in whatever
 * order; they are read again at the next turn.
 */
export function* recordVerified(
  sql: Sql,
  { ids, claim }: { ids: readonly number[]; claim: string },
): Step<void> {
  yield* run(sql`
    UPDATE blob_locations SET state = 'good', verified_at = ${sql.now}, claim = NULL, claimed_until = NULL
    WHERE id IN (
      SELECT id FROM blob_locations WHERE id IN ${sql.integers(ids)} AND claim = ${claim}
      ${sql.lock('FOR UPDATE SKIP LOCKED')})`)
}
