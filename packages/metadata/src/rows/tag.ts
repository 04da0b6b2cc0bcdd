import type { Milliseconds } from '@openregistry/core'
import type { Digest, Tag } from '@openregistry/oci'
import { all, first, hit, run, runEach, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Who changes tags, and where. */
export interface TagChange {
  repositoryId: string
  principal: string
}

/**
 * Notes that the tags of a repository are not what they were, for whoever keeps something that follows from them. Always a
 * new row: one that is there already may be seen to at this moment, by somebody who does not see this step's changes.
 */
export function tagsChanged(sql: Sql, repositoryId: string): Query {
  return sql`INSERT INTO tag_changes (repository_id) VALUES (${repositoryId})`
}

/** Writes a change of a tag into its history. */
function* noteChange(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  { from, to }: { from: Digest | null; to: Digest | null },
): Step<void> {
  yield* runEach([
    sql`
      INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
      VALUES (${repositoryId}, ${tag}, ${from}, ${to}, ${principal}, ${sql.now})`,
    tagsChanged(sql, repositoryId),
  ])
}

/** Points a tag to a manifest and notes that in its history, unless it points there already. */
export function* moveTag(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  manifest: { id: number; digest: Digest },
): Step<void> {
  // Inserting first makes two steps that create the same tag wait for each other; the second one sees the first.
  const created = yield* createTag(sql, { repositoryId, principal }, tag, manifest.id)
  let from: Digest | null = null
  if (!created) {
    const current = yield* first<{ manifest_id: number }>(sql`
      SELECT manifest_id FROM tags
      WHERE repository_id = ${repositoryId} AND name = ${tag} ${sql.lock('FOR NO KEY UPDATE')}`)
    // Somebody removed it between the two statements.
    if (current === null) return yield* moveTag(sql, { repositoryId, principal }, tag, manifest)
    if (current.manifest_id === manifest.id) return yield* noteCompanion(sql, repositoryId, tag)
    // In a statement of its own, which sees what the lock was waited for.
    const before = yield* first<{ digest: Digest }>(sql`
      SELECT digest FROM manifests WHERE id = ${current.manifest_id}`)
    from = before?.digest ?? null
    yield* run(sql`
      UPDATE tags SET manifest_id = ${manifest.id}, updated_at = ${sql.now}, updated_by = ${principal}
      WHERE repository_id = ${repositoryId} AND name = ${tag}`)
    yield* noteCompanion(sql, repositoryId, tag)
  }
  yield* noteChange(sql, { repositoryId, principal }, tag, { from, to: manifest.digest })
}

/** Points a tag that is not there to a manifest again, and notes that. False when the tag is there. */
export function* bringTagBack(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  manifest: { id: number; digest: Digest },
): Step<boolean> {
  if (!(yield* createTag(sql, { repositoryId, principal }, tag, manifest.id))) return false
  yield* noteChange(sql, { repositoryId, principal }, tag, { from: null, to: manifest.digest })
  return true
}

/** A new tag; false when there is one of this name. */
function* createTag(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  manifestId: number,
): Step<boolean> {
  const created = yield* hit(sql`
    INSERT INTO tags (repository_id, name, manifest_id, updated_at, updated_by)
    VALUES (${repositoryId}, ${tag}, ${manifestId}, ${sql.now}, ${principal})
    ON CONFLICT (repository_id, name) DO NOTHING
    RETURNING 1`)
  if (created) yield* noteCompanion(sql, repositoryId, tag)
  return created
}

/** Tags that say of which manifest they are: `<algorithm>-<64 hex digits>`, with a suffix after a dot or without. */
const companion = /^(sha256|sha512)-([0-9a-f]{64})(?:\.|$)/

/**
 * A companion that is set, moved or pushed once more is newer than the deletion of its manifest, whatever the clock says:
 * the collector goes by that.
 */
function* noteCompanion(sql: Sql, repositoryId: string, tag: Tag): Step<void> {
  const [, algorithm, hex] = companion.exec(tag) ?? []
  if (algorithm === undefined || hex === undefined) return
  // The whole digest, or half of that of a sha512.
  const from = `${algorithm}:${hex}`
  const gone = yield* first<{ at: Milliseconds | null }>(sql`
    SELECT max(deleted_at) AS at FROM manifests
    WHERE repository_id = ${repositoryId} AND digest >= ${from} AND digest < ${`${from}g`}`)
  const goneAt = gone?.at ?? null
  if (goneAt === null) return
  const earliest = goneAt + 1
  yield* run(sql`
    UPDATE tags SET updated_at = CASE WHEN ${earliest} > ${sql.now} THEN ${earliest} ELSE ${sql.now} END
    WHERE repository_id = ${repositoryId} AND name = ${tag} AND updated_at < ${earliest}`)
}

/** A tag as whoever locked it knows it. */
export interface HeldTag {
  name: Tag
  manifest_id: number
  updated_at: Milliseconds
}

/** Locks tags of a repository in the order of their names, as pushes of several tags take them. */
export function* lockTags(sql: Sql, repositoryId: string, names: readonly Tag[]): Step<readonly HeldTag[]> {
  if (names.length === 0) return []
  return yield* all<HeldTag>(sql`
    SELECT name, manifest_id, updated_at FROM tags
    WHERE repository_id = ${repositoryId} AND name IN ${sql.texts(names)}
    ORDER BY name ${sql.lock('FOR UPDATE')}`)
}

/** Removes tags that are locked and notes that in their histories. */
export function* dropHeldTags(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  held: readonly HeldTag[],
): Step<void> {
  if (held.length === 0) return
  const names = sql.texts(held.map(({ name }) => name))
  yield* runEach([
    sql`
      INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
      SELECT t.repository_id, t.name, m.digest, NULL, ${principal}, ${sql.now}
      FROM tags AS t JOIN manifests AS m ON m.id = t.manifest_id
      WHERE t.repository_id = ${repositoryId} AND t.name IN ${names}
      ORDER BY t.name`,
    sql`DELETE FROM tags WHERE repository_id = ${repositoryId} AND name IN ${names}`,
    tagsChanged(sql, repositoryId),
  ])
}

/** Removes every tag of manifests that are locked, and notes that in their histories. */
export function* dropTagsOf(sql: Sql, change: TagChange, manifestIds: readonly number[]): Step<void> {
  const named = yield* all<{ name: Tag }>(sql`
    SELECT name FROM tags WHERE manifest_id IN ${sql.integers(manifestIds)}`)
  const held = yield* lockTags(
    sql,
    change.repositoryId,
    named.map(({ name }) => name),
  )
  // Some were moved away while this waited. None can have come: their manifests are locked.
  const mine = new Set(manifestIds)
  yield* dropHeldTags(
    sql,
    change,
    held.filter(({ manifest_id }) => mine.has(manifest_id)),
  )
}

/** Removes a tag and notes that in its history. False when it is not there. */
export function* dropTag(sql: Sql, { repositoryId, principal }: TagChange, tag: Tag): Step<boolean> {
  const deleted = yield* first<{ manifest_id: number }>(sql`
    DELETE FROM tags WHERE repository_id = ${repositoryId} AND name = ${tag} RETURNING manifest_id`)
  if (deleted === null) return false
  const manifest = yield* first<{ digest: Digest }>(sql`
    SELECT digest FROM manifests WHERE id = ${deleted.manifest_id}`)
  yield* noteChange(sql, { repositoryId, principal }, tag, { from: manifest?.digest ?? null, to: null })
  return true
}
