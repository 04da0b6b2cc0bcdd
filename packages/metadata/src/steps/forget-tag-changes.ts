import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.forgetTagChanges`. */
export function* forgetTagChanges(sql: Sql, ids: readonly number[]): Step<void> {
  yield* run(sql`DELETE FROM tag_changes WHERE id IN ${sql.integers(ids)}`)
}
