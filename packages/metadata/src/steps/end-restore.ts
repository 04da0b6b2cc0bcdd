import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `RestoreSteps.endRestore`. */
export function* endRestore(sql: Sql, snapshot: string): Step<void> {
  yield* run(sql`
    UPDATE restores SET ended_at = ${sql.now} WHERE snapshot = ${snapshot} AND ended_at IS NULL`)
}
