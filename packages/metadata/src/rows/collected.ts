import type { CollectionStep } from '@openregistry/core'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** What a step of the collector did, said by what is not zero. */
export function collected(done: Partial<CollectionStep>): CollectionStep {
  return { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0, more: false, ...done }
}

/**
 * Notes blobs that lost a link or a manifest. Always a new row: one that is there already may be on its way out in a step
 * that does not see this one's changes.
 */
export function* addCandidates(sql: Sql, blobIds: readonly number[]): Step<void> {
  if (blobIds.length === 0) return
  yield* run(sql`
    INSERT INTO blob_candidates (blob_id)
    SELECT value FROM ${sql.integers([...new Set(blobIds)])} AS given`)
}

/** What manifests name may be thousands of rows each; a step stops at so many for each manifest that it may take. */
const referencesEach = 10

/**
 * Deletes rows of manifests with what they name, as many of them as make a short step, one at least. They must have no
 * tags, and be locked.
 * @returns how many were deleted, and whether all were.
 */
export function* deleteManifestRows(
  sql: Sql,
  manifestIds: readonly number[],
): Step<{ manifests: number; all: boolean }> {
  const counts = yield* all<{ manifest_id: number; count: number }>(sql`
    SELECT manifest_id, count(*) AS count FROM manifest_refs
    WHERE manifest_id IN ${sql.integers(manifestIds)} GROUP BY manifest_id`)
  const named = new Map(counts.map(({ manifest_id, count }) => [manifest_id, Number(count)]))
  const chosen: number[] = []
  let room = manifestIds.length * referencesEach
  for (const id of manifestIds) {
    if (room <= 0) break
    room -= named.get(id) ?? 0
    chosen.push(id)
  }
  const ids = sql.integers(chosen)
  yield* run(sql`DELETE FROM manifest_refs WHERE manifest_id IN ${ids}`)
  const deleted = yield* all<{ blob_id: number }>(sql`
    DELETE FROM manifests WHERE id IN ${ids} RETURNING blob_id`)
  yield* addCandidates(
    sql,
    deleted.map(({ blob_id }) => blob_id),
  )
  return { manifests: deleted.length, all: chosen.length === manifestIds.length }
}
