import type { UploadId } from '@openregistry/core'
import { endUploads } from '../rows/session.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.expireUploads`. */
export function* expireUploads(sql: Sql, limit: number): Step<{ upload: UploadId; backend: string }[]> {
  const over = yield* all<{ id: string }>(sql`
    SELECT id FROM uploads WHERE ended_at IS NULL AND expires_at <= ${sql.now}
    ORDER BY expires_at LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (over.length > 0)
    yield* endUploads(
      sql,
      over.map(({ id }) => id),
    )
  const due = yield* all<{ id: UploadId; backend: string }>(sql`
    SELECT id, backend FROM uploads WHERE ended_at IS NOT NULL AND expires_at <= ${sql.now}
    ORDER BY expires_at LIMIT ${limit}`)
  return due.map(({ id, backend }) => ({ upload: id, backend }))
}
