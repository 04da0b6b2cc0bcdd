import type { ClaimedLocation, ClaimLocations, LocationState, StorageKey } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest } from '@openregistry/oci'
import { placeOf } from '../rows/location.ts'
import { all, run, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  blob_id: number
  backend: string
  key: StorageKey | null
  state: LocationState
  sha256: Digest
  sha512: Digest | null
  size: number
  cid: Cid
}

/** See `ScrubStore.claimLocations`. */
export function* claimLocations(sql: Sql, input: ClaimLocations): Step<ClaimedLocation[]> {
  const free = yield* all<{ id: number }>(input.blobs === null ? oldest(sql, input) : ofBlobs(sql, input))
  if (free.length === 0) return []
  const ids = sql.integers(free.map(({ id }) => id))
  yield* run(sql`
    UPDATE blob_locations SET claim = ${input.claim}, claimed_until = ${sql.now} + ${input.lease}
    WHERE id IN ${ids}`)
  const rows = yield* all<Found>(sql`
    SELECT l.id, l.blob_id, l.backend, l.key, l.state, b.sha256, b.sha512, b.size, b.cid
    FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.id IN ${ids}`)
  return rows.map((row) => ({
    id: row.id,
    blobId: row.blob_id,
    place: placeOf(row),
    state: row.state,
    sha256: row.sha256,
    sha512: row.sha512,
    size: row.size,
    cid: row.cid,
  }))
}

function oldest(sql: Sql, { verifiedBefore, limit }: ClaimLocations): Query {
  return sql`
    SELECT id FROM blob_locations
    WHERE verified_at < ${verifiedBefore} AND (claimed_until IS NULL OR claimed_until <= ${sql.now})
    ORDER BY verified_at, id LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`
}

function ofBlobs(sql: Sql, { verifiedBefore, limit, blobs }: ClaimLocations): Query {
  return sql`
    SELECT id FROM blob_locations
    WHERE blob_id IN ${sql.integers(blobs ?? [])} AND verified_at < ${verifiedBefore}
      AND (claimed_until IS NULL OR claimed_until <= ${sql.now})
    LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`
}
