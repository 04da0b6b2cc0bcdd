import type { UploadId } from '@openregistry/core'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.expireUploads`. */
export function* expireUploads(sql: Sql, limit: number): Step<{ upload: UploadId; backend: string }[]> {
  const over = yield* all<{ id: string }>(sql`
    SELECT id FROM uploads WHERE ended_at IS NULL AND expires_at <= ${sql.now}
    ORDER BY expires_at LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (over.length > 0)
    yield* end(
      sql,
      over.map(({ id }) => id),
    )
  const due = yield* all<{ id: UploadId; backend: string }>(sql`
    SELECT id, backend FROM uploads WHERE ended_at IS NOT NULL AND expires_at <= ${sql.now}
    ORDER BY expires_at LIMIT ${limit}`)
  return due.map(({ id, backend }) => ({ upload: id, backend }))
}

function* end(sql: Sql, ids: readonly string[]): Step<void> {
  const uploads = sql.texts(ids)
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT u.backend, p.key, ${sql.now}
    FROM uploads AS u JOIN upload_parts AS p ON p.upload_id = u.id
    WHERE u.id IN ${uploads} AND p.key IS NOT NULL
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM upload_parts WHERE upload_id IN ${uploads}`)
  yield* run(sql`UPDATE uploads SET ended_at = ${sql.now} WHERE id IN ${uploads}`)
}
