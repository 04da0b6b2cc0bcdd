import type { CommitBlob } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { ensureBlob } from '../rows/blob.ts'
import { linkBlob, lockLinks } from '../rows/link.ts'
import { ensureLocation } from '../rows/location.ts'
import { giveAwayParts, refuseSession } from '../rows/session.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.commitBlob`. */
export function* commitBlob(sql: Sql, input: CommitBlob): Step<void> {
  const repository = yield* first<{ id: string; name: RepositoryName }>(sql`
    SELECT r.id, r.name FROM uploads AS u JOIN live_repositories AS r ON r.id = u.repository_id
    WHERE u.id = ${input.upload} ${sql.lock('FOR KEY SHARE')}`)
  // The sessions of a deleted repository are ended a little later.
  if (repository === null) throw yield* refuseSession(sql, input.upload)
  const session = yield* first<{ backend: string }>(sql`
    UPDATE uploads SET ended_at = ${sql.now}
    WHERE id = ${input.upload} AND received = ${input.offset} AND ended_at IS NULL AND expires_at > ${sql.now}
    RETURNING backend`)
  if (session === null) throw yield* refuseSession(sql, input.upload)
  yield* lockLinks(sql, repository.id, [input.digest])
  const blob = yield* ensureBlob(sql, input)
  yield* ensureLocation(sql, blob, session.backend, input.stored)
  yield* linkBlob(sql, repository, input.digest, blob.id, input.lease)
  yield* giveAwayParts(
    sql,
    input.upload,
    session.backend,
    input.stored.kind === 'object' ? input.stored.key : null,
  )
}
