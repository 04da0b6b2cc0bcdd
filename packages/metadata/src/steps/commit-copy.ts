import type { CommitCopy } from '@openregistry/core'
import { isAllowed } from '@openregistry/core/placement'
import { addCandidates } from '../rows/collected.ts'
import { lockLinks } from '../rows/link.ts'
import { ensureLocation } from '../rows/location.ts'
import { relocate } from '../rows/move.ts'
import { joinRepositoryOf, type JoinedRepository } from '../rows/repository.ts'
import { deleteLater, endSession } from '../rows/session.ts'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.commitCopy`. */
export function* commitCopy(sql: Sql, input: CommitCopy): Step<boolean> {
  const { upload, key } = input
  const repository = yield* joinRepositoryOf(sql, upload)
  const backend = repository && (yield* endSession(sql, repository, { upload, offset: 0 }))
  // The object is found by the tombstone of its session.
  if (repository === null || backend === null) return false
  const wanted = isWanted(input, repository, backend) && (yield* holdBlob(sql, repository, input))
  if (!wanted) {
    yield* deleteLater(sql, backend, key)
    return false
  }
  yield* ensureLocation(sql, { id: input.blobId, created: false }, backend, { kind: 'object', key })
  if (input.digest !== null && (yield* relocate(sql, repository.id, backend, [input.digest])) === 0) {
    // It was relied on before it was there; what it was read from may not be needed any more.
    yield* addCandidates(sql, [input.blobId])
  }
  return true
}

/** Whether the repository may have something there, and is still being moved there, if that is what it is for. */
function isWanted({ digest, rules }: CommitCopy, repository: JoinedRepository, backend: string): boolean {
  if (!isAllowed(rules, repository, backend)) return false
  return digest === null || repository.backend === backend
}

/** Holds the blob, if the repository still has it. */
function* holdBlob(sql: Sql, repository: JoinedRepository, { blobId, digest }: CommitCopy): Step<boolean> {
  if (digest !== null) yield* lockLinks(sql, repository.id, [digest])
  return yield* hit(sql`
    SELECT b.id FROM blobs AS b
    WHERE b.id = ${blobId} AND EXISTS (
      SELECT 1 FROM repository_blobs AS k WHERE k.blob_id = b.id AND k.repository_id = ${repository.id})
    ${sql.lock('FOR KEY SHARE')}`)
}
