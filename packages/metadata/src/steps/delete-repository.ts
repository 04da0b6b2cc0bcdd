import type { RepositoryName } from '@openregistry/oci'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `MetadataStore.deleteRepository`. Its links are due at once, without lease or grace. The work grows with what is in
 * the repository.
 */
export function* deleteRepository(sql: Sql, name: RepositoryName, principal: string): Step<boolean> {
  const repository = yield* first<{ id: string }>(sql`
    SELECT id FROM live_repositories WHERE name = ${name} ${sql.lock('FOR UPDATE')}`)
  if (repository === null) return false
  yield* run(sql`UPDATE repositories SET deleted_at = ${sql.now} WHERE id = ${repository.id}`)
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

/** Ends the sessions before their parts are looked at, so that none gets another one meanwhile. */
function* endUploads(sql: Sql, repositoryId: string): Step<void> {
  const ended = yield* all<{ id: string }>(sql`
    UPDATE uploads SET ended_at = ${sql.now} WHERE repository_id = ${repositoryId} AND ended_at IS NULL RETURNING id`)
  if (ended.length === 0) return
  const uploads = sql.texts(ended.map(({ id }) => id))
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT u.backend, p.key, ${sql.now}
    FROM uploads AS u JOIN upload_parts AS p ON p.upload_id = u.id
    WHERE u.id IN ${uploads} AND p.key IS NOT NULL
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM upload_parts WHERE upload_id IN ${uploads}`)
}
