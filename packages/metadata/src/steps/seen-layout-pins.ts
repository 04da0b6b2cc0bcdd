import { runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.seenLayoutPins`. */
export function* seenLayoutPins(sql: Sql, backend: string, roots: readonly Uint8Array[]): Step<void> {
  yield* runEach(
    roots.map(
      (root) => sql`
        UPDATE layout_pins SET looked_at = ${sql.now} WHERE root = ${root} AND backend = ${backend}`,
    ),
  )
}
