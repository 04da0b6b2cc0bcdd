import type { Milliseconds } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.endScrubPass`. */
export function* endScrubPass(sql: Sql, startedAt: Milliseconds): Step<void> {
  yield* run(sql`
    UPDATE scrub_passes SET ended_at = ${sql.now} WHERE started_at = ${startedAt} AND ended_at IS NULL`)
}
