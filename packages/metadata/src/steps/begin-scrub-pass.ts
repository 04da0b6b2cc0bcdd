import type { Milliseconds } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.beginScrubPass`. Two at once may begin two; both are passes over everything. */
export function* beginScrubPass(
  sql: Sql,
  { anew, within }: { anew: boolean; within: Milliseconds },
): Step<{ startedAt: Milliseconds; resumed: boolean }> {
  if (!anew) {
    const found = yield* first<{ started_at: Milliseconds }>(sql`
      SELECT started_at FROM scrub_passes
      WHERE ended_at IS NULL AND started_at > ${sql.now} - ${within}
      ORDER BY id DESC LIMIT 1`)
    if (found !== null) return { startedAt: found.started_at, resumed: true }
  }
  yield* run(sql`DELETE FROM scrub_passes`)
  const begun = yield* first<{ started_at: Milliseconds }>(sql`
    INSERT INTO scrub_passes (started_at) VALUES (${sql.now}) RETURNING started_at`)
  return { startedAt: begun?.started_at ?? 0, resumed: false }
}
