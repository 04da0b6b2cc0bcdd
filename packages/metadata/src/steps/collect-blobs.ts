import type { CollectBlobs, CollectionStep } from '@openregistry/core'
import { collected } from '../rows/collected.ts'
import { dropUnneeded } from '../rows/unneeded-location.ts'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `CollectionSteps.collectBlobs`. */
export function* collectBlobs(sql: Sql, { limit, rules }: CollectBlobs): Step<CollectionStep> {
  const candidates = yield* all<{ id: number; blob_id: number }>(sql`
    SELECT id, blob_id FROM blob_candidates ORDER BY id LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (candidates.length === 0) return collected({})
  const asked = sql.integers([...new Set(candidates.map(({ blob_id }) => blob_id))])
  // Whoever is about to link a blob holds its row; that candidate stays for a later turn. Nobody waits here, so that no
  // deadlock can come of it.
  const locked = yield* all<{ id: number }>(sql`
    SELECT id FROM blobs WHERE id IN ${asked} ORDER BY id ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  const present = yield* all<{ id: number }>(sql`SELECT id FROM blobs WHERE id IN ${asked}`)
  const mine = new Set(locked.map(({ id }) => id))
  const busy = new Set(present.map(({ id }) => id).filter((id) => !mine.has(id)))
  const done = candidates.filter(({ blob_id }) => !busy.has(blob_id))
  yield* run(sql`DELETE FROM blob_candidates WHERE id IN ${sql.integers(done.map(({ id }) => id))}`)
  const { blobs, bytes } = yield* deleteUnneeded(sql, [...mine])
  const dropped = yield* dropUnneeded(sql, [...mine], rules)
  return collected({
    blobs,
    bytes: bytes + dropped.bytes,
    more: done.length > 0 && candidates.length >= limit,
  })
}

/** Deletes those of locked blobs that nothing names; their objects are to be deleted. */
export function* deleteUnneeded(sql: Sql, locked: readonly number[]): Step<{ blobs: number; bytes: number }> {
  const unneeded = yield* all<{ id: number }>(sql`
    SELECT b.id FROM blobs AS b WHERE b.id IN ${sql.integers(locked)}
      AND NOT EXISTS (SELECT 1 FROM repository_blobs AS k WHERE k.blob_id = b.id)
      AND NOT EXISTS (SELECT 1 FROM manifests AS m WHERE m.blob_id = b.id)`)
  if (unneeded.length === 0) return { blobs: 0, bytes: 0 }
  const ids = sql.integers(unneeded.map(({ id }) => id))
  const sizes = yield* first<{ bytes: number }>(sql`
    SELECT COALESCE(sum(b.size), 0) AS bytes
    FROM blobs AS b JOIN blob_locations AS l ON l.blob_id = b.id WHERE b.id IN ${ids}`)
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT backend, key, ${sql.now} FROM blob_locations WHERE blob_id IN ${ids} AND key IS NOT NULL
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM blob_locations WHERE blob_id IN ${ids}`)
  yield* run(sql`DELETE FROM blocks WHERE blob_id IN ${ids}`)
  yield* run(sql`DELETE FROM blobs WHERE id IN ${ids}`)
  return { blobs: unneeded.length, bytes: Number(sizes?.bytes ?? 0) }
}
