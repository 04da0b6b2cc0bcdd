import type { PurgeHolder, PurgePlan } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  repository: string
  /** Null when the repository merely has the blob. */
  manifest_id: number | null
  digest: Digest | null
}

/** See `CollectionSteps.findHolders`. */
export function* findHolders(sql: Sql, digest: Digest, limit: number): Step<PurgePlan | null> {
  const blob = yield* first<{ id: number; size: number }>(sql`
    SELECT id, size FROM blobs WHERE sha256 = ${digest} OR sha512 = ${digest}`)
  if (blob === null) return null
  const rows = yield* all<Found>(sql`
    SELECT r.name AS repository, m.id AS manifest_id, m.digest FROM live_manifests AS m
    JOIN live_repositories AS r ON r.id = m.repository_id WHERE m.blob_id = ${blob.id}
    UNION ALL
    SELECT r.name, m.id, m.digest FROM repository_blobs AS k
    JOIN live_repositories AS r ON r.id = k.repository_id
    LEFT JOIN manifest_refs AS needed
      ON needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live
    LEFT JOIN live_manifests AS m ON m.id = needed.manifest_id
    WHERE k.blob_id = ${blob.id}
    LIMIT ${limit + 1}`)
  const ids = rows.flatMap(({ manifest_id }) => (manifest_id === null ? [] : [manifest_id]))
  const tags = yield* all<{ manifest_id: number; name: string }>(sql`
    SELECT manifest_id, name FROM tags WHERE manifest_id IN ${sql.integers(ids)}`)
  const holders = new Map<string, PurgeHolder>()
  for (const { repository, manifest_id, digest: manifest } of rows.slice(0, limit)) {
    const own = tags.filter((tag) => tag.manifest_id === manifest_id).map(({ name }) => name)
    // A manifest that names the content by two digests is found twice.
    holders.set(`${repository} ${manifest ?? ''}`, { repository, manifest, tags: own.sort() })
  }
  const ordered = [...holders].sort(([one], [other]) => (one < other ? -1 : 1))
  return { size: blob.size, holders: ordered.map(([, holder]) => holder), more: rows.length > limit }
}
