import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Has all passes begin anew, since blobs of any age may have second copies now where they might not before. */
export function* beginPassesAnew(sql: Sql): Step<void> {
  yield* run(sql`UPDATE replications SET position = 0, begun_at = begun_at + 1`)
}
