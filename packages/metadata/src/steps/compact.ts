import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Free pages that are left to be used again. */
const spare = 256

/** See `CollectionSteps.compact`. */
export function* compact(sql: Sql): Step<boolean> {
  const { compaction } = sql
  if (compaction === null) return false
  const state = yield* first<{ free: number }>({ text: compaction.free, values: [] })
  if (state === null || state.free <= spare) return false
  yield* run({ text: compaction.release, values: [] })
  return state.free - compaction.pages > spare
}
