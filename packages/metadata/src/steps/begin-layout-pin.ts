import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.beginLayoutPin`. */
export function* beginLayoutPin(sql: Sql, backend: string, root: Uint8Array): Step<void> {
  yield* run(sql`
    INSERT INTO layout_pins (root, backend, pinned_at, looked_at) VALUES (${root}, ${backend}, NULL, ${sql.now})
    ON CONFLICT (root, backend) DO NOTHING`)
}
