import type { UnfinishedRestore } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `RestoreSteps.findUnfinishedRestore`. A database has one restore at most. */
export function* findUnfinishedRestore(sql: Sql): Step<UnfinishedRestore | null> {
  const row = yield* first<{ snapshot: string; begun_at: number }>(sql`
    SELECT snapshot, begun_at FROM restores
    WHERE snapshot = (SELECT min(snapshot) FROM restores) AND ended_at IS NULL`)
  return row === null ? null : { snapshot: row.snapshot, begunAt: row.begun_at }
}
