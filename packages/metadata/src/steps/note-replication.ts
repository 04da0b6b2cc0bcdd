import type { ReplicationPass } from '@openregistry/core'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.noteReplication`. */
export function* noteReplication(
  sql: Sql,
  { backend, begunAt, position }: ReplicationPass & { backend: string },
): Step<boolean> {
  return yield* hit(sql`
    UPDATE replications SET position = CASE WHEN position < ${position} THEN ${position} ELSE position END
    WHERE backend = ${backend} AND begun_at = ${begunAt}
    RETURNING 1`)
}
