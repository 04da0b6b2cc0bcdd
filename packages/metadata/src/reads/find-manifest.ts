import type { RepositoryFacts, StoredManifest, Visibility } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest, Reference, RepositoryName } from '@openregistry/oci'
import { first, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: string
  visibility: Visibility
  digest: Digest
  media_type: string
  size: number
  cid: Cid
  /** Not null when there are good bytes. */
  location: number | null
  bytes: Uint8Array | null
  layout_root: Uint8Array | null
}

/** See `MetadataStore.findManifest`. A manifest without good bytes is answered like one that is not there. */
export function* findManifest(
  sql: Sql,
  name: RepositoryName,
  reference: Reference,
  options: { bytes: boolean },
): Step<{ repository: RepositoryFacts; manifest: StoredManifest | null } | null> {
  const row = yield* first<Found>(
    reference.kind === 'tag'
      ? byTag(sql, name, reference.tag, options.bytes)
      : byDigest(sql, name, reference.digest, options.bytes),
  )
  if (row === null) return null
  const repository = { id: row.id, name, visibility: row.visibility }
  if (row.location === null) return { repository, manifest: null }
  const { digest, media_type: mediaType, size, cid, bytes, layout_root: layoutRoot } = row
  return { repository, manifest: { digest, mediaType, size, cid, bytes, layoutRoot } }
}

function byTag(sql: Sql, name: string, tag: string, bytes: boolean): Query {
  return sql`
    SELECT r.id, r.visibility, m.digest, m.media_type, m.size, b.cid, l.id AS location,
      CASE WHEN ${bytes} THEN l.bytes END AS bytes, y.root AS layout_root
    FROM live_repositories AS r
    LEFT JOIN tags AS t ON t.repository_id = r.id AND t.name = ${tag}
    LEFT JOIN live_manifests AS m ON m.id = t.manifest_id
    LEFT JOIN blobs AS b ON b.id = m.blob_id
    LEFT JOIN good_locations AS l ON l.blob_id = m.blob_id AND l.backend = 'inline'
    LEFT JOIN layouts AS y ON y.manifest_id = m.id
    WHERE r.name = ${name}`
}

function byDigest(sql: Sql, name: string, digest: string, bytes: boolean): Query {
  return sql`
    SELECT r.id, r.visibility, m.digest, m.media_type, m.size, b.cid, l.id AS location,
      CASE WHEN ${bytes} THEN l.bytes END AS bytes, y.root AS layout_root
    FROM live_repositories AS r
    LEFT JOIN live_manifests AS m ON m.repository_id = r.id AND m.digest = ${digest}
    LEFT JOIN blobs AS b ON b.id = m.blob_id
    LEFT JOIN good_locations AS l ON l.blob_id = m.blob_id AND l.backend = 'inline'
    LEFT JOIN layouts AS y ON y.manifest_id = m.id
    WHERE r.name = ${name}`
}
