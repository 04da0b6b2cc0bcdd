import type { Milliseconds, StorageKey, UploadId, UploadSession } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import { all, first, run, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import type { JoinedRepository } from './repository.ts'

/**
 * Opens a session in a repository that was joined.
 * @returns when it expires.
 * @throws TryAgain when something else decides by now where content of the repository may lie.
 */
export function* insertSession(
  sql: Sql,
  repository: JoinedRepository,
  session: Pick<UploadSession, 'id' | 'principal' | 'backend' | 'algorithm'> & { lifetime: Milliseconds },
): Step<Milliseconds> {
  const { visibility, backend, confined } = repository
  const row = yield* first<{ expires_at: Milliseconds; confirmed: unknown }>(sql`
    INSERT INTO uploads (id, repository_id, principal, backend, algorithm, received, created_at, expires_at)
    VALUES (${session.id}, ${repository.id}, ${session.principal}, ${session.backend}, ${session.algorithm}, 0,
      ${sql.now}, ${sql.now} + ${session.lifetime})
    RETURNING expires_at, EXISTS (
      SELECT 1 FROM repositories AS r
      WHERE r.id = uploads.repository_id AND r.visibility = ${visibility} AND r.confined = ${confined}
        AND r.backend IS NOT DISTINCT FROM ${backend}) AS confirmed`)
  if (row === null || !row.confirmed) throw new TryAgain()
  return row.expires_at
}

/** Ends an open session that stands here, and gives its backend; null when there is none. Its repository was joined. */
export function* endSession(
  sql: Sql,
  { visibility, backend, confined }: JoinedRepository,
  { upload, offset }: { upload: UploadId; offset: number },
): Step<string | null> {
  const session = yield* first<{ backend: string; confirmed: unknown }>(sql`
    UPDATE uploads SET ended_at = ${sql.now}
    WHERE id = ${upload} AND received = ${offset} AND ended_at IS NULL AND expires_at > ${sql.now}
    RETURNING backend, EXISTS (
      SELECT 1 FROM repositories AS r
      WHERE r.id = uploads.repository_id AND r.visibility = ${visibility} AND r.confined = ${confined}
        AND r.backend IS NOT DISTINCT FROM ${backend}) AS confirmed`)
  if (session === null) return null
  if (!session.confirmed) throw new TryAgain()
  return session.backend
}

/** Says why a session did not take what was offered at `offset`. */
export function* refuseSession(sql: Sql, upload: UploadId): Step<RegistryError> {
  const session = yield* first<{ received: number }>(sql`
    SELECT u.received FROM uploads AS u JOIN live_repositories AS r ON r.id = u.repository_id
    WHERE u.id = ${upload} AND u.ended_at IS NULL AND u.expires_at > ${sql.now}`)
  if (session === null) {
    return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'No such upload session; begin the upload again.')
  }
  return new RegistryError(
    'UPLOAD_OFFSET_MISMATCH',
    `The upload stands at byte ${session.received}; send the next chunk from there.`,
    { detail: { upload, offset: session.received } },
  )
}

/** Forgets the parts of a session that has ended; their objects are to be deleted, but for the one that became the blob. */
export function* giveAwayParts(
  sql: Sql,
  upload: UploadId,
  backend: string,
  kept: StorageKey | null,
): Step<void> {
  const parts = yield* all<{ key: StorageKey | null }>(sql`
    DELETE FROM upload_parts WHERE upload_id = ${upload} RETURNING key`)
  const keys = parts.flatMap(({ key }) => (key === null || key === kept ? [] : [key]))
  if (keys.length === 0) return
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT ${backend}, given.value, ${sql.now} FROM ${sql.texts(keys)} AS given WHERE TRUE
    ON CONFLICT (backend, key) DO NOTHING`)
}

/** Ends open sessions that are locked; the objects of their parts are to be deleted. */
export function* endUploads(sql: Sql, ids: readonly string[]): Step<void> {
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

/** Puts an object on the list of those to delete. */
export function* deleteLater(sql: Sql, backend: string, key: string): Step<void> {
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at) VALUES (${backend}, ${key}, ${sql.now})
    ON CONFLICT (backend, key) DO NOTHING`)
}
