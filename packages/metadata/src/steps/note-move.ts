import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.noteMove`. */
export function* noteMove(
  sql: Sql,
  { repositoryId, underWay, error }: { repositoryId: string; underWay: number; error: string | null },
): Step<void> {
  yield* run(sql`
    UPDATE moves SET bytes_under_way = ${underWay}, error = ${error}
    WHERE repository_id = ${repositoryId} AND ended_at IS NULL`)
}
