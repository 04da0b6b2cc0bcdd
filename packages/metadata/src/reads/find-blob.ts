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
  // One row for each location; the order is that of an index and costs nothing.
  const rows = yield* all<Found>(sql`
    SELECT r.id, r.visibility, k.digest, b.size, b.cid, k.lease_until, k.unreferenced_since, ${sql.now} AS now,
      l.backend, l.key, CASE WHEN ${bytes} THEN l.bytes END AS bytes
    FROM live_repositories AS r
    LEFT JOIN live_links AS k ON k.repository_id = r.id AND k.digest = ${digest}
    LEFT JOIN blobs AS b ON b.id = k.blob_id
    LEFT JOIN good_locations AS l ON l.blob_id = k.blob_id
    WHERE r.name = ${name} ORDER BY l.backend`)
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

/** Bytes in the row come without another question, so they are first. */
function placesOf(rows: readonly Found[]): Pick<LinkedBlob, 'location' | 'others'> {
  const inline = rows.filter(({ backend }) => backend === inlineBackend)
  const objects = rows.filter(({ backend }) => backend !== inlineBackend)
  const places = [...inline, ...objects].map(locationOf).filter((place) => place !== null)
  return { location: places[0] ?? null, others: places.slice(1) }
}

function locationOf({ backend, key, bytes }: Found): BlobLocation | null {
  if (backend === inlineBackend) return { kind: 'inline', bytes: bytes ?? nothing }
  return backend === null || key === null ? null : { kind: 'object', backend, key }
}
