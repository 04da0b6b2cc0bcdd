import type { BlobPlace, LocationState, Milliseconds, PlacedContent } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  digest: Digest
  size: number
  /** Null when there is no location at all. */
  backend: string | null
  state: LocationState
  verified_at: Milliseconds
}

/** See `PlacementStore.listPlaces`. */
export function* listPlaces(
  sql: Sql,
  repositoryId: string,
  digests: readonly Digest[],
): Step<PlacedContent[]> {
  const rows = yield* all<Found>(sql`
    SELECT k.digest, b.size, l.backend, l.state, l.verified_at
    FROM live_links AS k JOIN blobs AS b ON b.id = k.blob_id
    LEFT JOIN blob_locations AS l ON l.blob_id = k.blob_id
    WHERE k.repository_id = ${repositoryId} AND k.digest IN ${sql.texts(digests)}`)
  const placed = Map.groupBy(rows, ({ digest }) => digest)
  return [...placed].map(([digest, found]) => ({
    digest,
    size: found[0]?.size ?? 0,
    places: found.flatMap(placeOf).toSorted((a, b) => (a.backend < b.backend ? -1 : 1)),
  }))
}

function placeOf({ backend, state, verified_at: verifiedAt }: Found): BlobPlace[] {
  return backend === null ? [] : [{ backend, state, verifiedAt }]
}
