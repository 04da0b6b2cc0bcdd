import type { StorageKey, UploadId } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.sweepUpload`. Nothing happens while the tombstone is not due: a writer may still be at work. */
export function* sweepUpload(sql: Sql, upload: UploadId, found: readonly StorageKey[]): Step<void> {
  const tombstone = yield* first<{ backend: string }>(sql`
    SELECT backend FROM uploads
    WHERE id = ${upload} AND ended_at IS NOT NULL AND expires_at <= ${sql.now} ${sql.lock('FOR UPDATE')}`)
  if (tombstone === null) return
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT ${tombstone.backend}, found.value, ${sql.now} FROM ${sql.texts(found)} AS found
    WHERE NOT EXISTS (
      SELECT 1 FROM blob_locations AS l WHERE l.backend = ${tombstone.backend} AND l.key = found.value)
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM upload_parts WHERE upload_id = ${upload}`)
  yield* run(sql`DELETE FROM uploads WHERE id = ${upload}`)
}
