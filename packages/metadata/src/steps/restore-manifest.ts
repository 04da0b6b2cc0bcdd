import type { RestoredManifest, RestoreManifest } from '@openregistry/core'
import { RegistryError, type Digest, type Tag } from '@openregistry/oci'
import { freeLinks, lockGoodLinks } from '../rows/link.ts'
import { childrenOf, readManifestTree, type TreeManifest } from '../rows/manifest-tree.ts'
import { requireAllowed } from '../rows/placed.ts'
import { joinRepository } from '../rows/repository.ts'
import { bringTagBack, moveTag } from '../rows/tag.ts'
import { all, run, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `HistoryStore.restoreManifest`. Locks as `putManifest` does: repository, links by digest, manifests, tags. */
export function* restoreManifest(sql: Sql, input: RestoreManifest): Step<RestoredManifest | null> {
  const repository = yield* joinRepository(sql, input.repository)
  if (repository === null) return null
  const tree = yield* readManifestTree(sql, repository.id, input.digest)
  const root = tree.get(input.digest)
  if (root === undefined) return null
  const deleted = [...tree.values()].filter(({ deletedAt }) => deletedAt !== null)
  const links = yield* lockGoodLinks(sql, repository.id, digestsOf(deleted))
  // Somebody pushed or removed one of them while the locks were waited for.
  if (!(yield* lockAsRead(sql, root.deletedAt === null ? [root, ...deleted] : deleted))) throw new TryAgain()
  const missing = missingOf(root, links.good)
  if (root.deletedAt !== null && missing.length > 0) throw contentIsGone(missing)
  yield* requireAllowed(sql, repository, links, input.rules)
  const { back, absent } = restorable(root, tree, links.good)
  yield* revive(sql, repository.id, back)
  yield* holdLive(sql, tree)
  const tags = yield* restoreTags(
    sql,
    { repositoryId: repository.id, principal: input.principal },
    input,
    root,
  )
  return { manifests: back.map(({ digest }) => digest), tags, missing: absent }
}

function contentIsGone(missing: Digest[]): RegistryError {
  return new RegistryError(
    'MANIFEST_BLOB_UNKNOWN',
    `It cannot be restored: its content is not here any more (${missing.join(', ')}). Push it again.`,
    { detail: { missing } },
  )
}

function digestsOf(manifests: readonly TreeManifest[]): Digest[] {
  return [...new Set(manifests.flatMap(({ references }) => references.map(({ digest }) => digest)))]
}

/** Locks manifests against whoever pushes or removes them. False when one is not any more as it was read. */
function* lockAsRead(sql: Sql, manifests: readonly TreeManifest[]): Step<boolean> {
  const locked = yield* all<{ id: number; deleted_at: number | null }>(sql`
    SELECT id, deleted_at FROM manifests WHERE id IN ${sql.integers(manifests.map(({ id }) => id))}
    ORDER BY id ${sql.lock('FOR NO KEY UPDATE')}`)
  const now = new Map(locked.map((row) => [row.id, row.deleted_at]))
  return manifests.every(({ id, deletedAt }) => now.get(id) === deletedAt)
}

/**
 * Keeps the live manifests of a tree until the step is over: whoever takes referrers away sees then that they are needed.
 * So this comes after the references were made live. TryAgain when one went meanwhile, and would be missing.
 */
function* holdLive(sql: Sql, tree: ReadonlyMap<Digest, TreeManifest>): Step<void> {
  const live = [...tree.values()].filter(({ deletedAt }) => deletedAt === null).map(({ id }) => id)
  if (live.length === 0) return
  const held = yield* all(sql`
    SELECT id FROM live_manifests WHERE id IN ${sql.integers(live)} ${sql.lock('FOR KEY SHARE')}`)
  if (held.length < live.length) throw new TryAgain()
}

/** What a manifest needs of this repository and does not find: its blobs, or its own bytes. */
function missingOf(manifest: TreeManifest, good: ReadonlySet<string>): Digest[] {
  const blobs = manifest.references.filter(({ kind, digest }) => kind === 'blob' && !good.has(digest))
  return [...(manifest.readable ? [] : [manifest.digest]), ...blobs.map(({ digest }) => digest)]
}

/** The deleted manifests that come back, from the root down as far as they are whole, and what is named but not here. */
function restorable(
  root: TreeManifest,
  tree: ReadonlyMap<Digest, TreeManifest>,
  good: ReadonlySet<string>,
): { back: TreeManifest[]; absent: Digest[] } {
  const seen = new Set([root.digest])
  const back: TreeManifest[] = []
  const absent: Digest[] = []
  for (const digest of seen) {
    const manifest = tree.get(digest)
    if (manifest === undefined || (manifest.deletedAt !== null && missingOf(manifest, good).length > 0)) {
      absent.push(digest)
      continue
    }
    if (manifest.deletedAt !== null) back.push(manifest)
    // A set that grows while it is gone through gives what was added, too.
    for (const child of childrenOf(manifest)) seen.add(child)
  }
  return { back, absent }
}

function* revive(sql: Sql, repositoryId: string, manifests: readonly TreeManifest[]): Step<void> {
  if (manifests.length === 0) return
  yield* freeLinks(sql, repositoryId, digestsOf(manifests))
  const ids = sql.integers(manifests.map(({ id }) => id))
  // Whoever restores a referrer after the deletion of its subject wants to keep it, as whoever pushes it.
  yield* run(sql`
    UPDATE manifests SET deleted_at = NULL, pushed_at = COALESCE((
        SELECT CASE WHEN s.deleted_at >= ${sql.now} THEN s.deleted_at + 1 ELSE ${sql.now} END FROM manifests AS s
        WHERE s.repository_id = manifests.repository_id AND s.digest = manifests.subject
          AND s.deleted_at IS NOT NULL), pushed_at)
    WHERE id IN ${ids}`)
  yield* run(sql`UPDATE manifest_refs SET live = TRUE WHERE manifest_id IN ${ids}`)
}

function* restoreTags(
  sql: Sql,
  change: { repositoryId: string; principal: string },
  { tag, digest }: RestoreManifest,
  root: TreeManifest,
): Step<Tag[]> {
  if (tag !== null) {
    yield* moveTag(sql, change, tag, root)
    return [tag]
  }
  if (root.deletedAt === null) return []
  // Those that went with it, and nothing has become of since.
  const dropped = yield* all<{ tag: Tag }>(sql`
    SELECT h.tag FROM tag_history AS h
    WHERE h.repository_id = ${change.repositoryId} AND h.from_digest = ${digest} AND h.to_digest IS NULL
      AND h.changed_at >= ${root.deletedAt}
      AND NOT EXISTS (
        SELECT 1 FROM tag_history AS later
        WHERE later.repository_id = h.repository_id AND later.tag = h.tag AND later.id > h.id)`)
  const back: Tag[] = []
  for (const { tag } of dropped.toSorted((a, b) => (a.tag < b.tag ? -1 : 1))) {
    if (yield* bringTagBack(sql, change, tag, root)) back.push(tag)
  }
  return back
}
