import type { RepositoryFacts } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Links that are looked at. Whoever has more of them in private repositories, and no luck, uploads the blob again. */
const linksAtMost = 256

/**
 * See `MetadataStore.findMountSource`. Links of the namespace come first, then any: each is one probe of its repository,
 * which alone knows whether it is public. Bounded, however many repositories have the blob.
 */
export function* findMountSource(sql: Sql, namespace: string, digest: Digest): Step<RepositoryFacts | null> {
  const row = yield* first<RepositoryFacts>(sql`
    WITH content AS (
      SELECT b.id FROM blobs AS b
      WHERE (b.sha256 = ${digest} OR b.sha512 = ${digest})
        AND EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = b.id)
    )
    SELECT * FROM (
      SELECT r.id, r.name, r.visibility FROM (
        SELECT k.repository_id FROM content
        JOIN live_links AS k ON k.blob_id = content.id AND k.digest = ${digest} AND k.namespace = ${namespace}
        LIMIT ${linksAtMost}) AS in_namespace
      JOIN live_repositories AS r ON r.id = in_namespace.repository_id
      LIMIT 1) AS own
    UNION ALL
    SELECT * FROM (
      SELECT r.id, r.name, r.visibility FROM (
        SELECT k.repository_id FROM content
        JOIN live_links AS k ON k.blob_id = content.id AND k.digest = ${digest}
        LIMIT ${linksAtMost}) AS in_any
      JOIN live_repositories AS r ON r.id = in_any.repository_id AND r.visibility = 'public'
      LIMIT 1) AS public
    LIMIT 1`)
  return row && { id: row.id, name: row.name, visibility: row.visibility }
}
