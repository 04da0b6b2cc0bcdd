import type { Digest } from '@openregistry/oci'
import { all, run, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { dropLayoutsAbove } from './layout.ts'
import { lockLinks, releaseLinks } from './link.ts'
import { dropTagsOf, type TagChange } from './tag.ts'

/**
 * Deletes manifests of a repository with their tags. The rows and their references stay for undelete; they need nothing
 * any more. The repository must be held.
 * @returns how many of them were there.
 */
export function* retireManifests(sql: Sql, change: TagChange, digests: readonly Digest[]): Step<number> {
  const { repositoryId } = change
  const found = yield* all<{ id: number }>(sql`
    SELECT id FROM live_manifests WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}`)
  if (found.length === 0) return 0
  const ids = found.map(({ id }) => id)
  // Links before manifests: the order of whoever pushes one of them at the same moment.
  const expected = yield* needsOf(sql, ids)
  yield* lockLinks(sql, repositoryId, namedBy(expected))
  const held = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE id IN ${sql.integers(ids)} AND deleted_at IS NULL
    ORDER BY id ${sql.lock('FOR NO KEY UPDATE')}`)
  if (held.length === 0) return 0
  const mine = held.map(({ id }) => id)
  yield* markDeleted(sql, mine)
  yield* dropTagsOf(sql, change, mine)
  // The same bytes may have been pushed under another media type, with other needs, in between.
  const needed = yield* needsOf(sql, mine)
  if (mine.some((id) => needsMore(needed.get(id), expected.get(id)))) throw new TryAgain()
  yield* letGo(sql, repositoryId, mine, namedBy(needed))
  return mine.length
}

/** Deletes locked manifests. Their tags go after that: an undelete brings back those that went with it, by their time. */
export function* markDeleted(sql: Sql, manifestIds: readonly number[]): Step<void> {
  yield* run(sql`UPDATE manifests SET deleted_at = ${sql.now} WHERE id IN ${sql.integers(manifestIds)}`)
}

/** Makes deleted manifests need nothing any more. They are locked, and so are the links that they name. */
export function* letGo(
  sql: Sql,
  repositoryId: string,
  manifestIds: readonly number[],
  needed: readonly Digest[],
): Step<void> {
  yield* run(sql`UPDATE manifest_refs SET live = FALSE WHERE manifest_id IN ${sql.integers(manifestIds)}`)
  yield* releaseLinks(sql, repositoryId, needed)
  yield* dropLayoutsAbove(sql, repositoryId, manifestIds)
}

/** What manifests name, by their ids. */
type Needs = ReadonlyMap<number, readonly Digest[]>

/** What each of these manifests names. */
export function* needsOf(sql: Sql, manifestIds: readonly number[]): Step<Needs> {
  const rows = yield* all<{ manifest_id: number; digest: Digest }>(sql`
    SELECT manifest_id, digest FROM manifest_refs WHERE manifest_id IN ${sql.integers(manifestIds)}`)
  const needs = new Map<number, Digest[]>()
  for (const { manifest_id, digest } of rows) {
    const named = needs.get(manifest_id)
    if (named === undefined) needs.set(manifest_id, [digest])
    else named.push(digest)
  }
  return needs
}

/** Everything that at least one of them names. */
export function namedBy(needs: Needs): Digest[] {
  return [...new Set([...needs.values()].flat())]
}

/** Whether a manifest names something that it did not name before. */
export function needsMore(now: readonly Digest[] = [], before: readonly Digest[] = []): boolean {
  const known = new Set(before)
  return now.some((digest) => !known.has(digest))
}
