import type { Digest } from '@openregistry/oci'
import { all, first, run, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { lockLinks, releaseLinks } from './link.ts'
import { dropTagsOf } from './tag.ts'

/**
 * Deletes a manifest with its tags. The row and its references stay for undelete; they need nothing any more.
 * @returns false when it is not there.
 */
export function* retireManifest(
  sql: Sql,
  { repositoryId, principal }: { repositoryId: string; principal: string },
  digest: Digest,
): Step<boolean> {
  const found = yield* first<{ id: number }>(sql`
    SELECT id FROM live_manifests WHERE repository_id = ${repositoryId} AND digest = ${digest}`)
  if (found === null) return false
  // Links before manifests: the order of whoever pushes this one at the same moment.
  const expected = yield* digestsNeeded(sql, found.id)
  yield* lockLinks(sql, repositoryId, expected)
  const manifest = yield* first<{ id: number }>(sql`
    UPDATE manifests SET deleted_at = ${sql.now} WHERE id = ${found.id} AND deleted_at IS NULL RETURNING id`)
  if (manifest === null) return false
  yield* dropTagsOf(sql, { repositoryId, principal }, { id: manifest.id, digest })
  // The same bytes may have been pushed under another media type, with other needs, in between.
  const needed = yield* digestsNeeded(sql, manifest.id)
  if (needed.some((digest) => !expected.includes(digest))) throw new TryAgain()
  yield* run(sql`UPDATE manifest_refs SET live = FALSE WHERE manifest_id = ${manifest.id}`)
  yield* releaseLinks(sql, repositoryId, needed)
  return true
}

function* digestsNeeded(sql: Sql, manifestId: number): Step<Digest[]> {
  const rows = yield* all<{ digest: Digest }>(sql`
    SELECT digest FROM manifest_refs WHERE manifest_id = ${manifestId}`)
  return rows.map(({ digest }) => digest)
}
