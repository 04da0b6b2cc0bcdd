import type { RepositoryFacts } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  /** Null when the repository is not public. */
  repository_id: string | null
  name: RepositoryName
}

/** See `IpfsStore.listTagChanges`. */
export function* listTagChanges(
  sql: Sql,
  after: number,
  limit: number,
): Step<{ id: number; repository: RepositoryFacts | null }[]> {
  const rows = yield* all<Found>(sql`
    SELECT tag_changes.id, r.id AS repository_id, r.name FROM tag_changes
    LEFT JOIN repositories AS r
      ON r.id = tag_changes.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
    WHERE tag_changes.id > ${after} ORDER BY tag_changes.id LIMIT ${limit}`)
  return rows.map(({ id, repository_id: repositoryId, name }) => ({
    id,
    repository: repositoryId === null ? null : { id: repositoryId, name, visibility: 'public' },
  }))
}
