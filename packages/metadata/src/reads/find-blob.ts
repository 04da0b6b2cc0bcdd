import type {
  BlobLocation,
  LinkedBlob,
  Milliseconds,
  RepositoryFacts,
  StorageKey,
  Visibility,
} from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { inlineBackend } from '../rows/location.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: string
  visibility: Visibility
  /** Null when there is no such link. */
  digest: Digest | null
  size: number
  cid: Cid
  lease_until: Milliseconds | null
  unreferenced_since: Milliseconds | null
  now: Milliseconds
  /** That the link relies on. */
  own: string
  backend: string | null
  key: StorageKey | null
  bytes: Uint8Array | null
}

const nothing = new Uint8Array(0)

/** See `MetadataStore.findBlob`. */
export function* findBlob(
  sql: Sql,
  name: RepositoryName,
  digest: Digest,
  { bytes }: { bytes: boolean } = { bytes: true },
): Step<{ repository: RepositoryFacts; blob: LinkedBlob | null } | null> {
  // One row for each location.
  const rows = yield* all<Found>(sql`
    SELECT r.id, r.visibility, k.digest, b.size, b.cid, k.lease_until, k.unreferenced_since, ${sql.now} AS now,
      k.backend AS own, l.backend, l.key, CASE WHEN ${bytes} THEN l.bytes END AS bytes
    FROM live_repositories AS r
    LEFT JOIN live_links AS k ON k.repository_id = r.id AND k.digest = ${digest}
    LEFT JOIN blobs AS b ON b.id = k.blob_id
    LEFT JOIN good_locations AS l ON l.blob_id = k.blob_id
    WHERE r.name = ${name}`)
  const [row] = rows
  if (row === undefined) return null
  const repository = { id: row.id, name, visibility: row.visibility }
  if (row.digest === null) return { repository, blob: null }
  const blob = {
    digest,
    size: row.size,
    cid: row.cid,
    ...placesOf(rows),
    leaseUntil: row.lease_until,
    unreferencedSince: row.unreferenced_since,
    now: row.now,
  }
  return { repository, blob }
}

const none: readonly BlobLocation[] = []

/**
 * Bytes in the row come without another question, so they are first; then comes the place that the repository relies on. To
 * the others the bytes came on the account of somebody else, or as second copies.
 */
function placesOf(rows: readonly Found[]): Pick<LinkedBlob, 'location' | 'others'> {
  const [row] = rows
  if (row === undefined) return { location: null, others: none }
  if (rows.length === 1) return { location: locationOf(row), others: none }
  const [location = null, ...others] = rows
    .toSorted((a, b) => rank(a) - rank(b) || ((a.backend ?? '') < (b.backend ?? '') ? -1 : 1))
    .map(locationOf)
    .filter((place) => place !== null)
  return { location, others }
}

function rank({ backend, own }: Found): number {
  if (backend === inlineBackend) return 0
  return backend === own ? 1 : 2
}

function locationOf({ backend, key, bytes }: Found): BlobLocation | null {
  if (backend === inlineBackend) return { kind: 'inline', bytes: bytes ?? nothing }
  return backend === null || key === null ? null : { kind: 'object', backend, key }
}
