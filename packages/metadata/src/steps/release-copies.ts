import type { PlacementRules } from '@openregistry/core'
import { mayBePublic } from '@openregistry/core/placement'
import { addCandidates } from '../rows/collected.ts'
import { joinRepositoryById, placedAs } from '../rows/repository.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.releaseCopies`. */
export function* releaseCopies(sql: Sql, repositoryId: string, rules: PlacementRules): Step<number> {
  const repository = yield* joinRepositoryById(sql, repositoryId)
  if (repository === null || mayBePublic(yield* placedAs(sql, repository))) return 0
  const copies = yield* all<{ blob_id: number }>(sql`
    SELECT l.blob_id
    FROM repository_blobs AS k JOIN blob_locations AS l ON l.blob_id = k.blob_id
    WHERE k.repository_id = ${repositoryId} AND l.backend IN ${sql.texts(rules.public)} AND l.backend <> k.backend
      AND NOT EXISTS (
        SELECT 1 FROM repository_blobs AS other JOIN live_repositories AS r ON r.id = other.repository_id
        WHERE other.blob_id = k.blob_id AND other.hidden_at IS NULL AND NOT other.known_private
          AND r.visibility = 'public' AND NOT r.confined)
      AND NOT EXISTS (
        SELECT 1 FROM repository_blobs AS other WHERE other.blob_id = k.blob_id AND other.backend = l.backend)`)
  const blobIds = [...new Set(copies.map(({ blob_id }) => blob_id))]
  yield* addCandidates(sql, blobIds)
  return blobIds.length
}
