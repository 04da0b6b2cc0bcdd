import type { Milliseconds, ReplicationPass } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Blobs are committed in another order than that of their ids: so many are looked at once more. */
const margin = 1000

/** See `PlacementStore.beginReplication`. */
export function* beginReplication(
  sql: Sql,
  { backend, interval }: { backend: string; interval: Milliseconds },
): Step<ReplicationPass> {
  yield* run(sql`
    INSERT INTO replications (backend, position, begun_at) VALUES (${backend}, 0, ${sql.now})
    ON CONFLICT (backend) DO NOTHING`)
  yield* run(sql`
    UPDATE replications SET position = 0, begun_at = ${sql.now}
    WHERE backend = ${backend} AND begun_at <= ${sql.now} - ${interval}`)
  const row = yield* first<{ position: number; begun_at: Milliseconds }>(sql`
    SELECT position, begun_at FROM replications WHERE backend = ${backend}`)
  return { position: Math.max(0, (row?.position ?? 0) - margin), begunAt: row?.begun_at ?? 0 }
}
