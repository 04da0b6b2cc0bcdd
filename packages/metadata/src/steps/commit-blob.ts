import type { CommitBlob } from '@openregistry/core'
import { isAllowed, misplaced } from '@openregistry/core/placement'
import { ensureBlob } from '../rows/blob.ts'
import { linkBlob, lockLinks } from '../rows/link.ts'
import { ensureLocation, inlineBackend } from '../rows/location.ts'
import { askForMove } from '../rows/move.ts'
import { joinRepositoryOf } from '../rows/repository.ts'
import { endSession, giveAwayParts, refuseSession } from '../rows/session.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.commitBlob`. */
export function* commitBlob(sql: Sql, input: CommitBlob): Step<void> {
  const { rules, stored, digest } = input
  const repository = yield* joinRepositoryOf(sql, input.upload)
  // The sessions of a deleted repository are ended a little later.
  if (repository === null) throw yield* refuseSession(sql, input.upload)
  const backend = yield* endSession(sql, repository, input)
  if (backend === null) throw yield* refuseSession(sql, input.upload)
  if (!isAllowed(rules, repository, backend)) throw misplaced(rules, repository, backend)
  const before = yield* lockLinks(sql, repository.id, [digest])
  const blob = yield* ensureBlob(sql, input)
  yield* ensureLocation(sql, blob, backend, stored)
  const place = stored.kind === 'inline' ? inlineBackend : backend
  const link = { digest, blobId: blob.id, backend: place, arrived: true, lease: input.lease }
  yield* linkBlob(sql, repository, link, before)
  yield* giveAwayParts(sql, input.upload, backend, stored.kind === 'object' ? stored.key : null)
  // The repository was moved while this was uploaded: its bytes follow.
  if (repository.backend !== null && place === backend && backend !== repository.backend)
    yield* askForMove(sql, repository.id)
}
