import type { PlacementRules } from '@openregistry/core'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { exposedPins } from './exposed-pins.ts'

/** Pins are counted up to this number. */
const pinsAtMost = 10_000

/** What of a repository lies in public backends. */
export interface Exposure {
  /** Names of these backends. */
  backends: string[]
  blobs: number
  /** Of these blobs. */
  bytes: number
  /** Uploads that are under way there. */
  uploads: number
  /** Layouts of its images that are pinned there. */
  layouts: number
}

/**
 * What of a repository lies in public backends on its account: open uploads, whatever arrived of them; blobs whose bytes it
 * has there; copies there of its other blobs, and layouts of its images, unless these are there for another repository that is
 * public. Nobody changes that until the step is over: the caller is alone with the repository, and blobs with copies, and pins, are locked in their order,
 * so that of two repositories that are there for each other one goes first.
 */
export function* exposureOf(
  sql: Sql,
  repositoryId: string,
  { public: open }: PlacementRules,
): Step<Exposure> {
  const uploads = yield* all<{ backend: string }>(sql`
    SELECT backend FROM uploads
    WHERE repository_id = ${repositoryId} AND ended_at IS NULL AND backend IN ${sql.texts(open)}`)
  yield* lockCopied(sql, repositoryId, open)
  const blobs = yield* all<{ backend: string; id: number; size: number }>(sql`
    SELECT l.backend, b.id, b.size
    FROM repository_blobs AS k
    JOIN blob_locations AS l ON l.blob_id = k.blob_id AND l.backend IN ${sql.texts(open)}
    JOIN blobs AS b ON b.id = k.blob_id
    WHERE k.repository_id = ${repositoryId}
      AND (k.backend = l.backend OR NOT EXISTS (
        SELECT 1 FROM repository_blobs AS other JOIN live_repositories AS r ON r.id = other.repository_id
        WHERE other.blob_id = k.blob_id AND other.repository_id <> k.repository_id
          AND other.hidden_at IS NULL AND NOT other.known_private
          AND r.visibility = 'public' AND NOT r.confined))`)
  const pins = yield* exposedPins(sql, repositoryId, { open, limit: pinsAtMost })
  const sizes = new Map(blobs.map(({ id, size }) => [id, size]))
  return {
    backends: [...new Set([...uploads, ...blobs, ...pins].map(({ backend }) => backend))].sort(),
    blobs: sizes.size,
    bytes: sizes.values().reduce((sum, size) => sum + size, 0),
    uploads: uploads.length,
    layouts: new Set(pins.map(({ root }) => root.toHex())).size,
  }
}

/** Locks blobs of the repository that have copies in these backends which it does not rely on itself. */
function* lockCopied(sql: Sql, repositoryId: string, open: readonly string[]): Step<void> {
  yield* run(sql`
    SELECT b.id FROM blobs AS b WHERE b.id IN (
      SELECT k.blob_id
      FROM repository_blobs AS k JOIN blob_locations AS l ON l.blob_id = k.blob_id
      WHERE k.repository_id = ${repositoryId} AND l.backend IN ${sql.texts(open)} AND l.backend <> k.backend)
    ORDER BY b.id ${sql.lock('FOR NO KEY UPDATE')}`)
}
