import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { lockRepository } from '../rows/repository.ts'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.deleteTag`. */
export function* deleteTag(sql: Sql, name: RepositoryName, tag: Tag, principal: string): Step<boolean> {
  const repository = yield* lockRepository(sql, name)
  if (repository === null) return false
  const deleted = yield* first<{ manifest_id: number }>(sql`
    DELETE FROM tags WHERE repository_id = ${repository.id} AND name = ${tag} RETURNING manifest_id`)
  if (deleted === null) return false
  const manifest = yield* first<{ digest: Digest }>(sql`
    SELECT digest FROM manifests WHERE id = ${deleted.manifest_id}`)
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    VALUES (${repository.id}, ${tag}, ${manifest?.digest ?? null}, NULL, ${principal}, ${sql.now})`)
  return true
}
