import type { CollectAfter, CollectionStep } from '@openregistry/core'
import type { Digest, Tag } from '@openregistry/oci'
import { collected, deleteManifestRows } from '../rows/collected.ts'
import { retireManifest } from '../rows/retired-manifest.ts'
import { dropTag } from '../rows/tag.ts'
import { all, type Step } from '../sql/query.ts'
import type { List, Sql } from '../sql/sql.ts'

/** Whom the histories of tags name. No user is called so: theirs begin with `user:`. */
const principal = 'gc'

interface Attached {
  repository_id: string
  digest: Digest
}

/** See `CollectionSteps.collectManifests`. */
export function* collectManifests(sql: Sql, { grace, limit }: CollectAfter): Step<CollectionStep> {
  const due = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE deleted_at <= ${sql.now} - ${grace}
    ORDER BY deleted_at LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (due.length === 0) return collected({})
  const ids = sql.integers(due.map(({ id }) => id))
  const retired = (yield* retireTagged(sql, ids, limit)) + (yield* retireReferrers(sql, ids, limit))
  // One subject may have any number of referrers: the rows of subjects go once none is left.
  if (retired > 0) return collected({ more: true })
  const deleted = yield* deleteManifestRows(
    sql,
    due.map(({ id }) => id),
  )
  return collected({ manifests: deleted.manifests, more: !deleted.all || due.length >= limit })
}

/**
 * Drops tags that say of which manifest they are (`sha256-<hex>`, `sha256-<hex>.sig`), and deletes what they name unless
 * another tag or an index needs it. A tag that was set after the subject was deleted is somebody's who thinks otherwise.
 */
function* retireTagged(sql: Sql, subjects: List, limit: number): Step<number> {
  const named = yield* all<Attached & { name: Tag }>(sql`
    SELECT t.repository_id, t.name, m.digest FROM manifests AS s
    JOIN tags AS t ON t.repository_id = s.repository_id
      AND t.name >= substr(replace(s.digest, ':', '-'), 1, 71)
      AND t.name < substr(replace(s.digest, ':', '-'), 1, 71) || '/'
    JOIN manifests AS m ON m.id = t.manifest_id
    WHERE s.id IN ${subjects} AND t.updated_at <= s.deleted_at AND substr(t.name, 72, 1) IN ('', '.')
    LIMIT ${limit}`)
  for (const { repository_id: repositoryId, name, digest } of named) {
    yield* dropTag(sql, { repositoryId, principal }, name)
    yield* retireUnneeded(sql, repositoryId, digest)
  }
  return named.length
}

/** Deletes referrers that nothing else needs and that were there when their subject was deleted. */
function* retireReferrers(sql: Sql, subjects: List, limit: number): Step<number> {
  const referrers = yield* all<Attached>(sql`
    SELECT r.repository_id, r.digest FROM manifests AS s
    JOIN manifests AS r ON r.repository_id = s.repository_id AND r.subject = s.digest AND r.deleted_at IS NULL
    WHERE s.id IN ${subjects} AND r.pushed_at <= s.deleted_at
      AND NOT EXISTS (SELECT 1 FROM tags AS t WHERE t.manifest_id = r.id)
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = r.repository_id AND needed.digest = r.digest AND needed.live)
    LIMIT ${limit}`)
  for (const { repository_id: repositoryId, digest } of referrers) {
    yield* retireManifest(sql, { repositoryId, principal }, digest)
  }
  return referrers.length
}

/** Deletes a manifest unless a tag or an index needs it. */
function* retireUnneeded(sql: Sql, repositoryId: string, digest: Digest): Step<void> {
  const unneeded = yield* all(sql`
    SELECT 1 AS unneeded FROM live_manifests AS m
    WHERE m.repository_id = ${repositoryId} AND m.digest = ${digest}
      AND NOT EXISTS (SELECT 1 FROM tags AS t WHERE t.manifest_id = m.id)
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = m.repository_id AND needed.digest = m.digest AND needed.live)`)
  if (unneeded.length > 0) yield* retireManifest(sql, { repositoryId, principal }, digest)
}
