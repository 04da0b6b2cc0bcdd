import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.forgetLayoutPin`. */
export function* forgetLayoutPin(
  sql: Sql,
  backend: string,
  root: Uint8Array,
  { released }: { released: boolean } = { released: false },
): Step<void> {
  yield* run(sql`
    DELETE FROM layout_pins
    WHERE root = ${root} AND backend = ${backend} AND (NOT ${released} OR looked_at = 0 AND NOT under_way)`)
  yield* run(sql`
    DELETE FROM layout_pin_owners
    WHERE root = ${root} AND backend = ${backend} AND NOT EXISTS (
      SELECT 1 FROM layout_pins AS p WHERE p.root = ${root} AND p.backend = ${backend})`)
  yield* run(sql`UPDATE layouts SET pin_due_at = 0 WHERE root = ${root} AND stored`)
}
