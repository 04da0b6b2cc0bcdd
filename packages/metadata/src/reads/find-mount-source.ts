import type { RepositoryFacts } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `MetadataStore.findMountSource`. Two probes of an index, however many repositories have the blob: the hints in the
 * links say which repository to look at, the repository itself is asked again.
 */
export function* findMountSource(sql: Sql, namespace: string, digest: Digest): Step<RepositoryFacts | null> {
  const row = yield* first<RepositoryFacts>(sql`
    WITH content AS (
      SELECT b.id FROM blobs AS b
      WHERE (b.sha256 = ${digest} OR b.sha512 = ${digest})
        AND EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = b.id)
    )
    SELECT r.id, r.name, r.visibility
    FROM (
      SELECT * FROM (
        SELECT k.repository_id, 1 AS own FROM content
        JOIN live_links AS k ON k.blob_id = content.id AND k.digest = ${digest} AND k.namespace = ${namespace}
        LIMIT 1) AS in_namespace
      UNION ALL
      SELECT * FROM (
        SELECT k.repository_id, 0 AS own FROM content
        JOIN live_links AS k ON k.blob_id = content.id AND k.digest = ${digest} AND k.public
        LIMIT 1) AS in_public
    ) AS candidate
    JOIN live_repositories AS r
      ON r.id = candidate.repository_id AND (candidate.own = 1 OR r.visibility = 'public')
    LIMIT 1`)
  return row && { id: row.id, name: row.name, visibility: row.visibility }
}
