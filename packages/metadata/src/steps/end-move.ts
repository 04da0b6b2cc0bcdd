import type { PlacementRules } from '@openregistry/core'
import { mayBePublic } from '@openregistry/core/placement'
import { inlineBackend } from '../rows/location.ts'
import { lockPlacementById } from '../rows/repository.ts'
import { endUploads } from '../rows/session.ts'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.endMove`. */
export function* endMove(
  sql: Sql,
  input: { repositoryId: string; left: number | null; error: string | null; rules: PlacementRules },
): Step<boolean> {
  const { repositoryId, left, error, rules } = input
  const repository = yield* lockPlacementById(sql, repositoryId)
  if (repository === null) return true
  if (left !== null) {
    const elsewhere = yield* all(sql`
      SELECT 1 FROM repository_blobs
      WHERE repository_id = ${repositoryId} AND backend <> ${repository.backend} AND backend <> ${inlineBackend}
      LIMIT ${left + 1}`)
    if (elsewhere.length > left) return false
  }
  if (left !== null && !mayBePublic(repository)) yield* endOpenUploads(sql, repositoryId, rules)
  yield* run(sql`
    UPDATE moves SET ended_at = ${sql.now}, error = ${error}, bytes_under_way = 0
    WHERE repository_id = ${repositoryId} AND ended_at IS NULL`)
  return true
}

/** What is on its way into a public backend would come too late: its clients begin again, at the right place. */
function* endOpenUploads(sql: Sql, repositoryId: string, rules: PlacementRules): Step<void> {
  const open = yield* all<{ id: string }>(sql`
    SELECT id FROM uploads
    WHERE repository_id = ${repositoryId} AND ended_at IS NULL AND backend IN ${sql.texts(rules.public)}
    ${sql.lock('FOR UPDATE')}`)
  if (open.length === 0) return
  yield* endUploads(
    sql,
    open.map(({ id }) => id),
  )
}
