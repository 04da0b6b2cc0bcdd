import type { Milliseconds } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `HistoryStore.findDeletedManifest`. */
export function* findDeletedManifest(
  sql: Sql,
  name: RepositoryName,
  digest: Digest,
): Step<Milliseconds | null> {
  const row = yield* first<{ deleted_at: Milliseconds | null }>(sql`
    SELECT deleted_at FROM manifests
    WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND digest = ${digest}`)
  return row?.deleted_at ?? null
}
