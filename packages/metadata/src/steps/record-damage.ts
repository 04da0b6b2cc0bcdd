import type { LocatedContent, LocationDamage } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { first, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `ScrubStore.recordDamage`. A key is used once, so a row that still names it names the same bytes; bytes in the
 * row itself are the same as long as nobody has ended the claim.
 */
export function* recordDamage(sql: Sql, damage: LocationDamage): Step<LocatedContent | null> {
  const marked = yield* first<{ blob_id: number }>(mark(sql, damage))
  if (marked === null) return null
  const blob = yield* first<{ sha256: Digest; size: number }>(sql`
    SELECT sha256, size FROM blobs WHERE id = ${marked.blob_id}`)
  return blob && { blobId: marked.blob_id, sha256: blob.sha256, size: blob.size }
}

function mark(sql: Sql, { at, state }: LocationDamage): Query {
  return at.kind === 'object'
    ? sql`
        UPDATE blob_locations SET state = ${state}, verified_at = ${sql.now}, claim = NULL, claimed_until = NULL
        WHERE backend = ${at.backend} AND key = ${at.key}
        RETURNING blob_id`
    : sql`
        UPDATE blob_locations SET state = ${state}, verified_at = ${sql.now}, claim = NULL, claimed_until = NULL
        WHERE id = ${at.location} AND claim = ${at.claim}
        RETURNING blob_id`
}
