import type { Milliseconds } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.renewLocationClaims`. */
export function* renewLocationClaims(
  sql: Sql,
  { ids, claim, lease }: { ids: readonly number[]; claim: string; lease: Milliseconds },
): Step<void> {
  yield* run(sql`
    UPDATE blob_locations SET claimed_until = ${sql.now} + ${lease}
    WHERE id IN (
      SELECT id FROM blob_locations WHERE id IN ${sql.integers(ids)} AND claim = ${claim}
      ${sql.lock('FOR UPDATE SKIP LOCKED')})`)
}
