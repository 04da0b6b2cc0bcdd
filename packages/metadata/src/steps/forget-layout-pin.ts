import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.forgetLayoutPin`. */
export function* forgetLayoutPin(sql: Sql, backend: string, root: Uint8Array): Step<void> {
  yield* run(sql`DELETE FROM layout_pins WHERE root = ${root} AND backend = ${backend}`)
  yield* run(sql`UPDATE layouts SET pin_due_at = 0 WHERE root = ${root} AND stored`)
}
