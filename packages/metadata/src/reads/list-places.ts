import type {
  BlobPlace,
  LocationState,
  Milliseconds,
  PlacedContent,
  PlacementRules,
} from '@openregistry/core'
import { inlineBackend } from '../rows/location.ts'
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
  /** That the link relies on. */
  own: string
  arrived_at: Milliseconds | null
  confined: unknown
}

/** See `PlacementStore.listPlaces`. */
export function* listPlaces(
  sql: Sql,
  repositoryId: string,
  digests: readonly Digest[],
  rules: PlacementRules,
): Step<PlacedContent[]> {
  const rows = yield* all<Found>(sql`
    SELECT k.digest, b.size, l.backend, l.state, l.verified_at, k.backend AS own, k.arrived_at,
      (r.visibility <> 'public' OR r.confined) AS confined
    FROM live_links AS k JOIN blobs AS b ON b.id = k.blob_id JOIN repositories AS r ON r.id = k.repository_id
    LEFT JOIN blob_locations AS l ON l.blob_id = k.blob_id
    WHERE k.repository_id = ${repositoryId} AND k.digest IN ${sql.texts(digests)}`)
  const placed = Map.groupBy(rows, ({ digest }) => digest)
  return [...placed].map(([digest, found]) => ({
    digest,
    size: found[0]?.size ?? 0,
    places: ownPlaces(found, rules)
      .flatMap(placeOf)
      .toSorted((a, b) => (a.backend < b.backend ? -1 : 1)),
  }))
}

/**
 * The places that the repository has on its own account; only if none of them is good, those from which it is served. Where
 * content lies on the account of others would tell of them.
 */
function ownPlaces(found: readonly Found[], rules: PlacementRules): readonly Found[] {
  const own = found.filter(({ backend, own, confined }) => {
    if (backend === null || backend === inlineBackend || backend === own) return true
    return rules.replicas.includes(backend) && !(Boolean(confined) && rules.public.includes(backend))
  })
  return own.some(({ state }) => state === 'good') ? own : found
}

/** Content that somebody else had before looks as if it had come with the repository. */
function placeOf({ backend, state, verified_at, arrived_at }: Found): BlobPlace[] {
  if (backend === null) return []
  const verifiedAt = state === 'good' ? Math.max(verified_at, arrived_at ?? 0) : verified_at
  return [{ backend, state, verifiedAt }]
}
