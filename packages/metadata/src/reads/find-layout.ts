import type { ImageLayout } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { layoutOf, type LayoutColumns } from '../rows/layout.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.findLayout`. */
export function* findLayout(
  sql: Sql,
  name: RepositoryName,
  digest: Digest,
): Step<{ layout: ImageLayout | null } | null> {
  const row = yield* first<LayoutColumns>(sql`
    SELECT y.root, y.size AS layout_size, y.stored, ${sql.now} - y.computed_at AS age
    FROM live_repositories AS r
    JOIN live_manifests AS m ON m.repository_id = r.id AND m.digest = ${digest}
    LEFT JOIN layouts AS y ON y.manifest_id = m.id
    WHERE r.name = ${name}`)
  return row && { layout: layoutOf(row) }
}
