import type { Milliseconds } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.postponeLayouts`. */
export function* postponeLayouts(sql: Sql, ids: readonly number[], delay: Milliseconds): Step<void> {
  yield* run(sql`
    UPDATE layouts SET pin_due_at = ${sql.now} + ${delay} WHERE manifest_id IN ${sql.integers(ids)}`)
}
