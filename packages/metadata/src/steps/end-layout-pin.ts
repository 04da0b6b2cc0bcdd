import { isLayoutPublic } from '../rows/layout.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.endLayoutPin`. */
export function* endLayoutPin(sql: Sql, backend: string, root: Uint8Array): Step<boolean> {
  yield* run(sql`
    UPDATE layout_pins SET pinned_at = COALESCE(pinned_at, ${sql.now}), looked_at = ${sql.now}
    WHERE root = ${root} AND backend = ${backend}`)
  return yield* isLayoutPublic(sql, root)
}
