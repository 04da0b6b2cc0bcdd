import type { Digest, RepositoryName } from '@openregistry/oci'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.deleteBlob`. */
export function* deleteBlob(sql: Sql, name: RepositoryName, digest: Digest): Step<boolean> {
  return yield* hit(sql`
    UPDATE repository_blobs SET hidden_at = ${sql.now}
    WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND digest = ${digest}
      AND hidden_at IS NULL
    RETURNING 1`)
}
