import type { Milliseconds } from '@openregistry/core'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.hasClaims`. */
export function* hasClaims(sql: Sql, verifiedBefore: Milliseconds): Step<boolean> {
  return yield* hit(sql`
    SELECT 1 FROM blob_locations WHERE verified_at < ${verifiedBefore} AND claimed_until > ${sql.now} LIMIT 1`)
}
