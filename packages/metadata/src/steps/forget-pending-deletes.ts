import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.forgetPendingDeletes`. */
export function* forgetPendingDeletes(sql: Sql, ids: readonly number[]): Step<void> {
  yield* run(sql`DELETE FROM pending_deletes WHERE id IN ${sql.integers(ids)}`)
}
