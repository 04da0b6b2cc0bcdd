import type { PlacementRules } from '@openregistry/core'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Location {
  id: number
  blob_id: number
  backend: string
  good: unknown
  size: number
}

/**
 * Forgets objects of locked blobs that nobody needs where they are, and gives them up: no link relies on them, and they are no
 * second copies, or copies in a public backend of what no public repository has any more. The last good bytes stay: to
 * be short of a copy that somebody relies on is damage, which is mended from them first.
 */
export function* dropUnneeded(
  sql: Sql,
  locked: readonly number[],
  rules: PlacementRules,
): Step<{ locations: number; bytes: number }> {
  const copies = rules.replicas.filter((backend) => !rules.public.includes(backend))
  const openCopies = rules.replicas.filter((backend) => rules.public.includes(backend))
  const found = yield* all<Location>(sql`
    SELECT l.id, l.blob_id, l.backend, l.state = 'good' AS good, b.size
    FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.blob_id IN ${sql.integers(locked)} AND l.key IS NOT NULL
      AND l.backend NOT IN ${sql.texts(copies)}
      AND NOT EXISTS (
        SELECT 1 FROM repository_blobs AS k WHERE k.blob_id = l.blob_id AND k.backend = l.backend)
      AND NOT (l.backend IN ${sql.texts(openCopies)} AND EXISTS (
        SELECT 1 FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
        WHERE k.blob_id = l.blob_id AND k.hidden_at IS NULL AND NOT k.known_private
          AND r.visibility = 'public' AND NOT r.confined))`)
  if (found.length === 0) return { locations: 0, bytes: 0 }
  const unneeded = yield* withoutLast(sql, found, rules.public)
  const ids = sql.integers(unneeded.map(({ id }) => id))
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT backend, key, ${sql.now} FROM blob_locations WHERE id IN ${ids}
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM blob_locations WHERE id IN ${ids}`)
  return { locations: unneeded.length, bytes: unneeded.reduce((sum, { size }) => sum + size, 0) }
}

/** Those of them without which good bytes of their blob are left. */
function* withoutLast(sql: Sql, found: readonly Location[], open: readonly string[]): Step<Location[]> {
  const ids = found.map(({ id }) => id)
  const kept = yield* all<{ blob_id: number }>(sql`
    SELECT blob_id FROM good_locations
    WHERE blob_id IN ${sql.integers(found.map(({ blob_id }) => blob_id))} AND id NOT IN ${sql.integers(ids)}`)
  const safe = new Set(kept.map(({ blob_id }) => blob_id))
  const unneeded: Location[] = []
  // Rather one that others cannot read.
  const isOpen = ({ backend }: Location) => Number(open.includes(backend))
  for (const location of found.toSorted((a, b) => isOpen(a) - isOpen(b))) {
    if (Boolean(location.good) && !safe.has(location.blob_id)) safe.add(location.blob_id)
    else unneeded.push(location)
  }
  return unneeded
}
