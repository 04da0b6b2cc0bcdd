import type { PublicNode, RepositoryFacts } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `IpfsStore.findPublicNode`. Layouts of private repositories have no blocks, so there is little to walk past; the
 * repository has the last word.
 */
export function* findPublicNode(sql: Sql, sha256: Uint8Array): Step<PublicNode | null> {
  const row = yield* first<RepositoryFacts & { bytes: Uint8Array }>(sql`
    SELECT r.id, r.name, r.visibility, found.bytes FROM (
      SELECT m.repository_id, n.bytes FROM layout_blocks AS n JOIN live_manifests AS m ON m.id = n.manifest_id
      WHERE n.sha256 = ${sha256}
      UNION ALL
      SELECT n.repository_id, n.bytes FROM directory_blocks AS n WHERE n.sha256 = ${sha256}
    ) AS found
    JOIN repositories AS r ON r.id = found.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
    LIMIT 1`)
  return row && { repository: { id: row.id, name: row.name, visibility: row.visibility }, bytes: row.bytes }
}
