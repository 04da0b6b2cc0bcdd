import type { CommitBlob, Visibility } from '@openregistry/core'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { ensureBlob } from '../rows/blob.ts'
import { linkBlob } from '../rows/link.ts'
import { ensureLocation } from '../rows/location.ts'
import { giveAwayParts, refuseSession } from '../rows/session.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.commitBlob`. */
export function* commitBlob(sql: Sql, input: CommitBlob): Step<void> {
  const session = yield* first<{ repository_id: string; backend: string }>(sql`
    UPDATE uploads SET ended_at = ${sql.now}
    WHERE id = ${input.upload} AND received = ${input.offset} AND ended_at IS NULL AND expires_at > ${sql.now}
    RETURNING repository_id, backend`)
  if (session === null) throw yield* refuseSession(sql, input.upload)
  const repository = yield* first<{ id: string; name: RepositoryName; visibility: Visibility }>(sql`
    SELECT id, name, visibility FROM live_repositories
    WHERE id = ${session.repository_id} ${sql.lock('FOR SHARE')}`)
  // A repository takes its sessions with it, so this is only seen by a step that waited for that deletion.
  if (repository === null) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The repository was deleted.')
  const blobId = yield* ensureBlob(sql, input)
  yield* ensureLocation(sql, blobId, session.backend, input.stored)
  yield* linkBlob(sql, repository, input.digest, blobId, input.lease)
  yield* giveAwayParts(
    sql,
    input.upload,
    session.backend,
    input.stored.kind === 'object' ? input.stored.key : null,
  )
}
