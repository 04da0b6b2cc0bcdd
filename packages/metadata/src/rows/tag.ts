import type { Digest, Tag } from '@openregistry/oci'
import { all, first, hit, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Who changes tags, and where. */
interface TagChange {
  repositoryId: string
  principal: string
}

/** Points a tag to a manifest and notes that in its history. Nothing is written when it points there already. */
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
    if (current.manifest_id === manifest.id) return
    // In a statement of its own, which sees what the lock was waited for.
    const before = yield* first<{ digest: Digest }>(sql`
      SELECT digest FROM manifests WHERE id = ${current.manifest_id}`)
    from = before?.digest ?? null
    yield* run(sql`
      UPDATE tags SET manifest_id = ${manifest.id}, updated_at = ${sql.now}, updated_by = ${principal}
      WHERE repository_id = ${repositoryId} AND name = ${tag}`)
  }
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    VALUES (${repositoryId}, ${tag}, ${from}, ${manifest.digest}, ${principal}, ${sql.now})`)
}

/** Points a tag that is not there to a manifest again, and notes that. False when the tag is there. */
export function* bringTagBack(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  manifest: { id: number; digest: Digest },
): Step<boolean> {
  if (!(yield* createTag(sql, { repositoryId, principal }, tag, manifest.id))) return false
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    VALUES (${repositoryId}, ${tag}, NULL, ${manifest.digest}, ${principal}, ${sql.now})`)
  return true
}

/** A new tag; false when there is one of this name. */
function* createTag(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  tag: Tag,
  manifestId: number,
): Step<boolean> {
  return yield* hit(sql`
    INSERT INTO tags (repository_id, name, manifest_id, updated_at, updated_by)
    VALUES (${repositoryId}, ${tag}, ${manifestId}, ${sql.now}, ${principal})
    ON CONFLICT (repository_id, name) DO NOTHING
    RETURNING 1`)
}

/** Removes every tag of a manifest and notes that in their histories. */
export function* dropTagsOf(
  sql: Sql,
  { repositoryId, principal }: TagChange,
  manifest: { id: number; digest: Digest },
): Step<void> {
  // In their order, as pushes of several tags take them. Some may have been moved away while this waited.
  yield* all(sql`
    SELECT name FROM tags WHERE manifest_id = ${manifest.id} ORDER BY repository_id, name ${sql.lock('FOR UPDATE')}`)
  const dropped = yield* all<{ name: string }>(sql`
    DELETE FROM tags WHERE manifest_id = ${manifest.id} RETURNING name`)
  if (dropped.length === 0) return
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    SELECT ${repositoryId}, gone.value, ${manifest.digest}, NULL, ${principal}, ${sql.now}
    FROM ${sql.texts(dropped.map(({ name }) => name).sort())} AS gone`)
}

/** Removes a tag and notes that in its history. False when it is not there. */
export function* dropTag(sql: Sql, { repositoryId, principal }: TagChange, tag: Tag): Step<boolean> {
  const deleted = yield* first<{ manifest_id: number }>(sql`
    DELETE FROM tags WHERE repository_id = ${repositoryId} AND name = ${tag} RETURNING manifest_id`)
  if (deleted === null) return false
  const manifest = yield* first<{ digest: Digest }>(sql`
    SELECT digest FROM manifests WHERE id = ${deleted.manifest_id}`)
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    VALUES (${repositoryId}, ${tag}, ${manifest?.digest ?? null}, NULL, ${principal}, ${sql.now})`)
  return true
}
