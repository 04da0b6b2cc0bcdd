import type { DueLayout } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  root: Uint8Array
  digest: Digest
  /** Null when it is not public. */
  repository_id: string | null
  name: RepositoryName
  confined: unknown
}

/** See `IpfsStore.listDueLayouts`. */
export function* listDueLayouts(sql: Sql, limit: number): Step<DueLayout[]> {
  const rows = yield* all<Found>(sql`
    SELECT y.manifest_id AS id, y.root, m.digest, r.id AS repository_id, r.name, r.confined
    FROM layouts AS y
    JOIN manifests AS m ON m.id = y.manifest_id
    LEFT JOIN repositories AS r
      ON r.id = m.repository_id AND m.deleted_at IS NULL AND r.deleted_at IS NULL AND r.visibility = 'public'
    WHERE y.stored AND y.pin_due_at <= ${sql.now} ORDER BY y.pin_due_at LIMIT ${limit}`)
  return rows.map(({ id, root, digest, repository_id: repositoryId, name, confined }) => ({
    id,
    root,
    digest,
    repository: repositoryId === null ? null : { id: repositoryId, name, visibility: 'public' },
    confined: Boolean(confined),
  }))
}
