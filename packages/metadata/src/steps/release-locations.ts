import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.releaseLocations`. */
export function* releaseLocations(
  sql: Sql,
  { ids, claim }: { ids: readonly number[]; claim: string },
): Step<void> {
  yield* run(sql`
    UPDATE blob_locations SET claim = NULL, claimed_until = NULL
    WHERE id IN (
      SELECT id FROM blob_locations WHERE id IN ${sql.integers(ids)} AND claim = ${claim}
      ${sql.lock('FOR UPDATE SKIP LOCKED')})`)
}
