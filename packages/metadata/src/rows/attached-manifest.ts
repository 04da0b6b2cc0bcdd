import type { Milliseconds } from '@openregistry/core'
import type { Digest, Tag } from '@openregistry/oci'
import { all, first, type Step } from '../sql/query.ts'
import type { List, Sql } from '../sql/sql.ts'
import { lockLinks } from './link.ts'
import { letGo, markDeleted, namedBy, needsMore, needsOf } from './retired-manifest.ts'
import { dropHeldTags, lockTags, type HeldTag, type TagChange } from './tag.ts'

/** A live manifest that goes with a deleted one, as it was seen without a lock. */
export interface Attached {
  repository_id: string
  /** The deleted manifest. */
  subject_id: number
  subject_deleted_at: Milliseconds
  id: number
  /** The tag that says of which manifest it is; null for a referrer. */
  tag: Tag | null
}

/**
 * What goes with these deleted manifests: what tags name that say of which manifest they are (`sha256-<hex>`,
 * `sha256-<hex>.sig`), and referrers that nothing else needs. Whoever pushed or tagged it after the deletion wants to keep
 * it. Takes no locks.
 */
export function* findAttached(sql: Sql, subjects: List, limit: number): Step<readonly Attached[]> {
  const named = yield* all<Attached>(sql`
    SELECT s.repository_id, s.id AS subject_id, s.deleted_at AS subject_deleted_at, t.manifest_id AS id, t.name AS tag
    FROM manifests AS s
    JOIN tags AS t ON t.repository_id = s.repository_id
      AND t.name >= substr(replace(s.digest, ':', '-'), 1, 71)
      AND t.name < substr(replace(s.digest, ':', '-'), 1, 71) || '/'
    WHERE s.id IN ${subjects} AND t.updated_at <= s.deleted_at AND substr(t.name, 72, 1) IN ('', '.')
      AND EXISTS (SELECT 1 FROM live_repositories AS r WHERE r.id = s.repository_id)
    LIMIT ${limit}`)
  const referrers = yield* all<Attached>(sql`
    SELECT s.repository_id, s.id AS subject_id, s.deleted_at AS subject_deleted_at, m.id, NULL AS tag
    FROM manifests AS s
    JOIN manifests AS m ON m.repository_id = s.repository_id AND m.subject = s.digest AND m.deleted_at IS NULL
    WHERE s.id IN ${subjects} AND m.pushed_at <= s.deleted_at
      AND EXISTS (SELECT 1 FROM live_repositories AS r WHERE r.id = s.repository_id)
      AND NOT EXISTS (SELECT 1 FROM tags AS t WHERE t.manifest_id = m.id)
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = m.repository_id AND needed.digest = m.digest AND needed.live)
    LIMIT ${limit}`)
  return [...named, ...referrers]
}

/**
 * Drops tags and deletes manifests that were found in one repository, those of them that are as they were found. All of
 * it is locked first: links, the manifests (against new tags, new indexes and new pushes), tags. Only then is asked what
 * else needs them. A manifest that somebody is at work with is left to a later turn.
 * @returns how many manifests and tags went.
 */
export function* retireAttached(sql: Sql, change: TagChange, found: readonly Attached[]): Step<number> {
  const { repositoryId } = change
  const repository = yield* first(sql`
    SELECT id FROM live_repositories WHERE id = ${repositoryId} ${sql.lock('FOR KEY SHARE SKIP LOCKED')}`)
  if (repository === null) return 0
  const ids = [...new Set(found.map(({ id }) => id))]
  const expected = yield* needsOf(sql, ids)
  yield* lockLinks(sql, repositoryId, namedBy(expected))
  const held = yield* lockManifests(sql, [...ids, ...found.map(({ subject_id }) => subject_id)])
  const certain = found.filter((one) => isStill(one, held))
  const tags = yield* lockOldTags(sql, repositoryId, certain)
  const dropped = new Set(tags.map(({ name }) => name))
  const going = certain.filter(
    ({ id, tag, subject_deleted_at }) =>
      held.get(id)!.pushed_at <= subject_deleted_at && (tag === null || dropped.has(tag)),
  )
  const unneeded = yield* findUnneeded(sql, [...new Set(going.map(({ id }) => id))], [...dropped])
  // The same bytes may have been pushed under another media type, with other needs, in between.
  const needs = yield* needsOf(sql, unneeded)
  const retired = unneeded.filter((id) => !needsMore(needs.get(id), expected.get(id)))
  yield* markDeleted(sql, retired)
  yield* dropHeldTags(sql, change, tags)
  yield* letGo(sql, repositoryId, retired, [...new Set(retired.flatMap((id) => needs.get(id) ?? []))])
  return dropped.size + retired.length
}

/** A manifest as whoever locked it knows it. */
interface HeldManifest {
  id: number
  digest: Digest
  subject: Digest | null
  pushed_at: Milliseconds
  deleted_at: Milliseconds | null
}

/** Locks manifests against everybody else, those that nobody has locked. */
function* lockManifests(sql: Sql, ids: readonly number[]): Step<ReadonlyMap<number, HeldManifest>> {
  // An index that is being pushed shares the lock of what it names, and many may: nobody waits for them.
  const held = yield* all<HeldManifest>(sql`
    SELECT id, digest, subject, pushed_at, deleted_at FROM manifests WHERE id IN ${sql.integers(ids)}
    ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  return new Map(held.map((manifest) => [manifest.id, manifest]))
}

/** Whether it is locked, live, and of the same deleted manifest as before. */
function isStill(
  { id, tag, subject_id, subject_deleted_at }: Attached,
  held: ReadonlyMap<number, HeldManifest>,
): boolean {
  const [manifest, subject] = [held.get(id), held.get(subject_id)]
  if (manifest?.deleted_at !== null || subject?.deleted_at !== subject_deleted_at) return false
  return tag !== null || manifest.subject === subject.digest
}

/** Locks those of the tags that still point to the manifest, and were not set after the deletion. */
function* lockOldTags(sql: Sql, repositoryId: string, found: readonly Attached[]): Step<HeldTag[]> {
  const known = new Map(found.flatMap((one) => (one.tag === null ? [] : [[one.tag, one] as const])))
  const held = yield* lockTags(sql, repositoryId, [...known.keys()])
  return held.filter(({ name, manifest_id, updated_at }) => {
    const { id, subject_deleted_at } = known.get(name)!
    return manifest_id === id && updated_at <= subject_deleted_at
  })
}

/** Those of locked manifests that no live index needs, and no tag but these. */
function* findUnneeded(sql: Sql, ids: readonly number[], tags: readonly Tag[]): Step<number[]> {
  if (ids.length === 0) return []
  const unneeded = yield* all<{ id: number }>(sql`
    SELECT m.id FROM live_manifests AS m WHERE m.id IN ${sql.integers(ids)}
      AND NOT EXISTS (SELECT 1 FROM tags AS t WHERE t.manifest_id = m.id AND t.name NOT IN ${sql.texts(tags)})
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = m.repository_id AND needed.digest = m.digest AND needed.live)`)
  return unneeded.map(({ id }) => id)
}
