import { isLayoutPublic } from '../rows/layout.ts'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.endLayoutPin`. */
export function* endLayoutPin(
  sql: Sql,
  backend: string,
  root: Uint8Array,
  { open }: { open: boolean },
): Step<boolean> {
  const noted = yield* hit(sql`
    UPDATE layout_pins
    SET pinned_at = COALESCE(pinned_at, ${sql.now}), looked_at = ${sql.now}, under_way = FALSE
    WHERE root = ${root} AND backend = ${backend}
    RETURNING 1`)
  return noted && (yield* isLayoutPublic(sql, root, { open }))
}
