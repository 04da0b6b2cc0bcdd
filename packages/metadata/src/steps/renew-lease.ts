import type { Milliseconds } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.renewLease`. A link that manifests need is only looked at. */
export function* renewLease(
  sql: Sql,
  repositoryId: string,
  digest: Digest,
  lease: Milliseconds,
): Step<boolean> {
  const renewed = yield* hit(sql`
    UPDATE repository_blobs
    SET lease_until = CASE
      WHEN lease_until > ${sql.now} + ${lease} THEN lease_until
      ELSE ${sql.now} + ${lease}
    END
    WHERE repository_id = ${repositoryId} AND digest = ${digest} AND hidden_at IS NULL
      AND (lease_until IS NOT NULL OR unreferenced_since IS NOT NULL)
      AND EXISTS (SELECT 1 FROM live_repositories AS r WHERE r.id = repository_blobs.repository_id)
    RETURNING 1`)
  if (renewed) return true
  return yield* hit(sql`
    SELECT 1 FROM live_links AS k JOIN live_repositories AS r ON r.id = k.repository_id
    WHERE k.repository_id = ${repositoryId} AND k.digest = ${digest}`)
}
