import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Occupants {
  repository: string | null
  blob: number | null
  restore: string | null
}

/** See `RestoreSteps.beginRestore`. Two that begin at once are one who goes on. */
export function* beginRestore(sql: Sql, snapshot: string): Step<'begun' | 'resumed' | 'occupied'> {
  const before = yield* first<{ ended_at: number | null }>(sql`
    SELECT ended_at FROM restores WHERE snapshot = ${snapshot} ${sql.lock('FOR UPDATE')}`)
  if (before !== null) return before.ended_at === null ? 'resumed' : 'occupied'
  const found = yield* first<Occupants>(sql`
    SELECT (SELECT min(id) FROM repositories) AS repository, (SELECT min(id) FROM blobs) AS blob,
      (SELECT min(snapshot) FROM restores) AS restore`)
  if (found?.repository !== null || found.blob !== null || found.restore !== null) return 'occupied'
  yield* run(sql`
    INSERT INTO restores (snapshot, begun_at) VALUES (${snapshot}, ${sql.now})
    ON CONFLICT (snapshot) DO NOTHING`)
  return 'begun'
}
