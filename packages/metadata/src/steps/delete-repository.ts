import type { RepositoryName } from '@openregistry/oci'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `MetadataStore.deleteRepository`. Its links are due at once, without lease or grace. The work grows with what is in
 * the repository.
 */
export function* deleteRepository(sql: Sql, name: RepositoryName, principal: string): Step<boolean> {
  const repository = yield* first<{ id: string }>(sql`
    UPDATE repositories SET deleted_at = ${sql.now} WHERE name = ${name} AND deleted_at IS NULL RETURNING id`)
  if (repository === null) return false
  yield* dropTags(sql, repository.id, principal)
  yield* run(sql`
    UPDATE manifests SET deleted_at = ${sql.now} WHERE repository_id = ${repository.id} AND deleted_at IS NULL`)
  yield* run(sql`UPDATE manifest_refs SET live = FALSE WHERE repository_id = ${repository.id} AND live`)
  yield* run(sql`
    UPDATE repository_blobs
    SET lease_until = NULL, unreferenced_since = 0, hidden_at = COALESCE(hidden_at, ${sql.now})
    WHERE repository_id = ${repository.id}`)
  yield* endUploads(sql, repository.id)
  return true
}

function* dropTags(sql: Sql, repositoryId: string, principal: string): Step<void> {
  yield* run(sql`
    INSERT INTO tag_history (repository_id, tag, from_digest, to_digest, changed_by, changed_at)
    SELECT t.repository_id, t.name, m.digest, NULL, ${principal}, ${sql.now}
    FROM tags AS t JOIN manifests AS m ON m.id = t.manifest_id
    WHERE t.repository_id = ${repositoryId} ORDER BY t.name`)
  yield* run(sql`DELETE FROM tags WHERE repository_id = ${repositoryId}`)
}

function* endUploads(sql: Sql, repositoryId: string): Step<void> {
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT u.backend, p.key, ${sql.now}
    FROM uploads AS u JOIN upload_parts AS p ON p.upload_id = u.id
    WHERE u.repository_id = ${repositoryId} AND u.ended_at IS NULL AND p.key IS NOT NULL
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`
    DELETE FROM upload_parts WHERE upload_id IN (
      SELECT id FROM uploads WHERE repository_id = ${repositoryId} AND ended_at IS NULL)`)
  yield* run(sql`
    UPDATE uploads SET ended_at = ${sql.now} WHERE repository_id = ${repositoryId} AND ended_at IS NULL`)
}
