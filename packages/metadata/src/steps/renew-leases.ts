import type { Milliseconds } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.renewLeases`. Locks in the order of digests, and only what it changes, so that it mostly reads. */
export function* renewLeases(sql: Sql, repositoryId: string, lease: Milliseconds): Step<void> {
  const ending = yield* all<{ digest: Digest }>(sql`
    SELECT digest FROM live_links
    WHERE repository_id = ${repositoryId} AND lease_until < ${sql.now} + ${lease / 2}
    ORDER BY digest ${sql.lock('FOR NO KEY UPDATE')}`)
  if (ending.length === 0) return
  yield* run(sql`
    UPDATE repository_blobs SET lease_until = ${sql.now} + ${lease}
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(ending.map(({ digest }) => digest))}
      AND lease_until IS NOT NULL`)
}
