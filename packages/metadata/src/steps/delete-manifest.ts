import type { Digest, RepositoryName } from '@openregistry/oci'
import { lockLinks, releaseLinks } from '../rows/link.ts'
import { lockRepository } from '../rows/repository.ts'
import { dropTagsOf } from '../rows/tag.ts'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.deleteManifest`. The row and its references stay for undelete; they need nothing any more. */
export function* deleteManifest(
  sql: Sql,
  name: RepositoryName,
  digest: Digest,
  principal: string,
): Step<boolean> {
  const repository = yield* lockRepository(sql, name)
  if (repository === null) return false
  const found = yield* first<{ id: number }>(sql`
    SELECT id FROM live_manifests WHERE repository_id = ${repository.id} AND digest = ${digest}`)
  if (found === null) return false
  // Links before manifests: the order of whoever pushes this one at the same moment.
  yield* lockLinks(sql, repository.id, yield* digestsNeeded(sql, found.id))
  const manifest = yield* first<{ id: number }>(sql`
    UPDATE manifests SET deleted_at = ${sql.now} WHERE id = ${found.id} AND deleted_at IS NULL RETURNING id`)
  if (manifest === null) return false
  yield* dropTagsOf(sql, { repositoryId: repository.id, principal }, { id: manifest.id, digest })
  // Asked again: the same bytes may have been pushed under another media type, with other needs, in between.
  const needed = yield* digestsNeeded(sql, manifest.id)
  yield* lockLinks(sql, repository.id, needed)
  yield* run(sql`UPDATE manifest_refs SET live = FALSE WHERE manifest_id = ${manifest.id}`)
  yield* releaseLinks(sql, repository.id, needed)
  return true
}

function* digestsNeeded(sql: Sql, manifestId: number): Step<Digest[]> {
  const rows = yield* all<{ digest: Digest }>(sql`
    SELECT digest FROM manifest_refs WHERE manifest_id = ${manifestId}`)
  return rows.map(({ digest }) => digest)
}
