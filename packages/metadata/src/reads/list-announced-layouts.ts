import type { AnnouncedLayout, Milliseconds } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.listAnnouncedLayouts`. */
export function* listAnnouncedLayouts(
  sql: Sql,
  repositoryId: string,
  { manifests, within }: { manifests: readonly Digest[]; within: Milliseconds },
): Step<readonly AnnouncedLayout[]> {
  return yield* all<AnnouncedLayout>(sql`
    SELECT m.digest AS manifest, y.announced_at AS at
    FROM live_manifests AS m
    JOIN layouts AS y ON y.manifest_id = m.id AND y.announced_at > ${sql.now} - ${within}
    WHERE m.repository_id = ${repositoryId} AND m.digest IN ${sql.texts(manifests)}
    ORDER BY m.digest`)
}
