import type { CollectAfter, CollectionStep } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { addCandidates, collected } from '../rows/collected.ts'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Link {
  repository_id: string
  digest: Digest
}

/** See `CollectionSteps.collectLinks`. */
export function* collectLinks(sql: Sql, { grace, limit }: CollectAfter): Step<CollectionStep> {
  // Two ends of one index: leases that are over, and links without a lease whose grace is over.
  const expired = yield* all<Link & { early: unknown }>(sql`
    SELECT repository_id, digest,
      (unreferenced_since IS NOT NULL AND unreferenced_since > ${sql.now} - ${grace}) AS early
    FROM repository_blobs WHERE lease_until <= ${sql.now}
    ORDER BY lease_until LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  const released = yield* all<Link>(sql`
    SELECT repository_id, digest FROM repository_blobs
    WHERE lease_until IS NULL AND unreferenced_since <= ${sql.now} - ${grace}
    ORDER BY lease_until, unreferenced_since LIMIT ${limit - expired.length}
    ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  for (const [repositoryId, digests] of byRepository(expired.filter(({ early }) => Boolean(early)))) {
    yield* endLeases(sql, repositoryId, digests)
  }
  const due = [...expired.filter(({ early }) => !early), ...released]
  const taken: number[] = []
  for (const [repositoryId, digests] of byRepository(due)) {
    taken.push(...(yield* takeLinks(sql, repositoryId, digests)))
  }
  yield* addCandidates(sql, taken)
  return collected({ links: taken.length, more: expired.length + released.length >= limit })
}

/**
 * Deletes those of locked links that no live manifest needs, and makes the others links that are needed. The question is
 * a statement after the one that locked: whoever came to need a link before has committed, and is seen.
 * @returns the blobs that lost a link.
 */
function* takeLinks(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<number[]> {
  const deleted = yield* all<{ digest: Digest; blob_id: number }>(sql`
    DELETE FROM repository_blobs WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = repository_blobs.repository_id AND needed.digest = repository_blobs.digest
          AND needed.live)
    RETURNING digest, blob_id`)
  const gone = new Set(deleted.map(({ digest }) => digest))
  const needed = digests.filter((digest) => !gone.has(digest))
  if (needed.length > 0) {
    yield* run(sql`
      UPDATE repository_blobs SET lease_until = NULL, unreferenced_since = NULL
      WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(needed)}`)
  }
  return deleted.map(({ blob_id }) => blob_id)
}

/** A lease that is over says nothing any more. Without it the link is found again when its grace is over, not before. */
function* endLeases(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<void> {
  yield* run(sql`
    UPDATE repository_blobs SET lease_until = NULL
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}`)
}

function byRepository(links: readonly Link[]): Map<string, Digest[]> {
  const groups = new Map<string, Digest[]>()
  for (const { repository_id, digest } of links) {
    const group = groups.get(repository_id)
    if (group === undefined) groups.set(repository_id, [digest])
    else group.push(digest)
  }
  return groups
}
