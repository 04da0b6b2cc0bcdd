import type { Milliseconds, Move, MoveState } from '@openregistry/core'
import { moveJobName } from '@openregistry/core/placement'
import type { Digest } from '@openregistry/oci'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { enqueueJob } from '../steps/enqueue-job.ts'
import { addCandidates } from './collected.ts'
import { lockLinks } from './link.ts'
import { inlineBackend } from './location.ts'

/** A row of `moves`, with what became of its job. */
export interface MoveRow {
  backend: string
  requested_by: string
  rate: number
  started_at: Milliseconds
  ended_at: Milliseconds | null
  cancelled: unknown
  error: string | null
  blobs_total: number | null
  bytes_total: number | null
  blobs_done: number
  bytes_done: number
  bytes_under_way: number
  /** When its job was given up, after many attempts. */
  given_up: Milliseconds | null
}

/** A move as its row has it. */
export function moveOf(row: MoveRow): Move {
  const { blobs_total: blobs, bytes_total: bytes } = row
  return {
    backend: row.backend,
    state: stateOf(row),
    requestedBy: row.requested_by,
    rate: row.rate,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    total: blobs === null || bytes === null ? null : { blobs, bytes },
    done: { blobs: row.blobs_done, bytes: row.bytes_done },
    underWay: row.bytes_under_way,
    error: row.error,
  }
}

function stateOf({ ended_at, cancelled, error, given_up }: MoveRow): MoveState {
  if (cancelled === true || cancelled === 1) return 'cancelled'
  if (ended_at !== null) return error === null ? 'done' : 'failed'
  return given_up === null ? 'running' : 'failed'
}

/** The newest move of a repository. */
export function* readMove(sql: Sql, repositoryId: string): Step<Move | null> {
  const row = yield* first<MoveRow>(sql`
    SELECT m.*, j.failed_at AS given_up FROM moves AS m
    LEFT JOIN jobs AS j ON j.kind = ${moveJobName} AND j.unique_key = m.repository_id
    WHERE m.repository_id = ${repositoryId}`)
  return row && moveOf(row)
}

/** Asks for the job that brings the content of this repository to the backend that it was moved to. */
export function* askForMove(sql: Sql, repositoryId: string): Step<void> {
  yield* enqueueJob(sql, { kind: moveJobName, key: repositoryId, payload: repositoryId, delay: 0 })
}

/**
 * Lets links of a repository rely on a backend, or on bytes in the database, as far as these are good, and counts that for
 * whoever watches its move. Nobody changes where its content may lie meanwhile.
 * @returns how many rely on something else than before.
 */
export function* relocate(
  sql: Sql,
  repositoryId: string,
  backend: string,
  digests: readonly Digest[],
): Step<number> {
  yield* lockLinks(sql, repositoryId, digests)
  // Held, so that no good location goes.
  yield* run(sql`
    SELECT b.id FROM blobs AS b WHERE b.id IN (
      SELECT blob_id FROM repository_blobs
      WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)})
    ORDER BY b.id ${sql.lock('FOR KEY SHARE')}`)
  const moved = yield* all<{ blob_id: number }>(sql`
    UPDATE repository_blobs SET backend = CASE
      WHEN EXISTS (SELECT 1 FROM good_locations AS l
        WHERE l.blob_id = repository_blobs.blob_id AND l.backend = ${inlineBackend}) THEN ${inlineBackend}
      ELSE ${backend} END
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}
      AND backend <> ${backend} AND backend <> ${inlineBackend}
      AND EXISTS (SELECT 1 FROM good_locations AS l
        WHERE l.blob_id = repository_blobs.blob_id AND l.backend IN (${backend}, ${inlineBackend}))
    RETURNING blob_id`)
  if (moved.length === 0) return 0
  const blobIds = moved.map(({ blob_id }) => blob_id)
  yield* addCandidates(sql, blobIds)
  yield* run(sql`
    UPDATE moves SET blobs_done = blobs_done + ${moved.length}, bytes_done = bytes_done + (
      SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) FROM blobs WHERE id IN ${sql.integers(blobIds)})
    WHERE repository_id = ${repositoryId} AND ended_at IS NULL`)
  return moved.length
}
