import type { MoveTask } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found extends Pick<MoveTask, 'name' | 'visibility' | 'backend'> {
  confined: unknown
  rate: number | null
  counted: unknown
}

/** See `PlacementStore.findMoveTask`. */
export function* findMoveTask(sql: Sql, repositoryId: string): Step<MoveTask | null> {
  const row = yield* first<Found>(sql`
    SELECT r.name, r.visibility, r.backend, r.confined, m.rate, m.blobs_total IS NOT NULL AS counted
    FROM live_repositories AS r LEFT JOIN moves AS m ON m.repository_id = r.id
    WHERE r.id = ${repositoryId} AND r.backend IS NOT NULL`)
  if (row === null) return null
  const { name, visibility, backend } = row
  const [confined, counted] = [Boolean(row.confined), Boolean(row.counted)]
  return { repositoryId, name, visibility, backend, confined, rate: row.rate ?? 0, counted }
}
