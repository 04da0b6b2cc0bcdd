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
  const manifest = yield* first<{ id: number }>(sql`
    UPDATE manifests SET deleted_at = ${sql.now}
    WHERE repository_id = ${repository.id} AND digest = ${digest} AND deleted_at IS NULL
    RETURNING id`)
  if (manifest === null) return false
  yield* dropTagsOf(sql, { repositoryId: repository.id, principal }, { id: manifest.id, digest })
  const references = yield* all<{ digest: Digest }>(sql`
    SELECT digest FROM manifest_refs WHERE manifest_id = ${manifest.id}`)
  const needed = references.map((reference) => reference.digest)
  yield* lockLinks(sql, repository.id, needed)
  yield* run(sql`UPDATE manifest_refs SET live = FALSE WHERE manifest_id = ${manifest.id}`)
  yield* releaseLinks(sql, repository.id, needed)
  return true
}
