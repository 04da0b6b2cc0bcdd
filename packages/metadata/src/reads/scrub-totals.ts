import type { Milliseconds, ScrubTotals } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.scrubTotals`. */
export function* scrubTotals(sql: Sql, verifiedBefore: Milliseconds): Step<ScrubTotals> {
  const row = yield* first<{ objects: number; bytes: number }>(sql`
    SELECT count(*) AS objects, CAST(COALESCE(sum(b.size), 0) AS BIGINT) AS bytes
    FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.verified_at < ${verifiedBefore}`)
  return { objects: row?.objects ?? 0, bytes: row?.bytes ?? 0 }
}
