import type { ContentShape } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.describeBlobs`. */
export function* describeBlobs(
  sql: Sql,
  name: RepositoryName,
  digests: readonly Digest[],
): Step<ContentShape[]> {
  const rows = yield* all<ContentShape>(sql`
    SELECT k.digest, b.cid, b.size
    FROM live_repositories AS r
    JOIN live_links AS k ON k.repository_id = r.id AND k.digest IN ${sql.texts(digests)}
    JOIN blobs AS b ON b.id = k.blob_id
    WHERE r.name = ${name} AND EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = k.blob_id)`)
  return rows.map(({ digest, cid, size }) => ({ digest, cid, size }))
}
