import type { PinnedLayout } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.listPinnedLayouts`. */
export function* listPinnedLayouts(
  sql: Sql,
  repositoryId: string,
  manifests: readonly Digest[],
): Step<readonly PinnedLayout[]> {
  return yield* all<PinnedLayout>(sql`
    SELECT m.digest AS manifest, p.backend, p.pinned_at AS since
    FROM live_manifests AS m
    JOIN layouts AS y ON y.manifest_id = m.id
    JOIN layout_pin_owners AS o ON o.repository_id = m.repository_id AND o.root = y.root
    JOIN layout_pins AS p ON p.root = o.root AND p.backend = o.backend AND p.pinned_at IS NOT NULL
    WHERE m.repository_id = ${repositoryId} AND m.digest IN ${sql.texts(manifests)}
    ORDER BY m.digest, p.backend`)
}
