import type { Milliseconds, StorageKey } from '@openregistry/core'
import { endOf } from '../reads/list-keys.ts'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Of what a backend holds, at most one object in this many may go without somebody's word. */
const oneIn = 10
/** Counting stops here. */
const countedAtMost = 10_000

/**
 * See `ScrubStore.deleteSurplus`. Nothing has to be locked: a session's row comes before its objects and goes only
 * after its commit, and no id is given twice, so an object whose session is gone can never be named again.
 */
export function* deleteSurplus(
  sql: Sql,
  input: { backend: string; prefix: string; age: Milliseconds; confirmed: boolean },
): Step<{ deleted: number; withheld: number }> {
  const { backend, prefix, age, confirmed } = input
  const due = yield* all<{ key: StorageKey }>(sql`
    SELECT s.key FROM surplus_objects AS s
    WHERE s.backend = ${backend} AND s.key > ${prefix} AND s.key < ${endOf(prefix)}
      AND s.found_at <= ${sql.now} - ${age}
      AND NOT EXISTS (SELECT 1 FROM uploads AS u WHERE u.id = substr(s.key, 1, 32))
      AND NOT EXISTS (SELECT 1 FROM blob_locations AS l WHERE l.backend = s.backend AND l.key = s.key)`)
  if (due.length === 0) return { deleted: 0, withheld: 0 }
  if (!confirmed && !(yield* areFew(sql, backend))) return { deleted: 0, withheld: due.length }
  const keys = sql.texts(due.map(({ key }) => key))
  yield* run(sql`
    INSERT INTO pending_deletes (backend, key, queued_at)
    SELECT ${backend}, found.value, ${sql.now} FROM ${keys} AS found
    WHERE TRUE
    ON CONFLICT (backend, key) DO NOTHING`)
  yield* run(sql`DELETE FROM surplus_objects WHERE backend = ${backend} AND key IN ${keys}`)
  return { deleted: due.length, withheld: 0 }
}

/** Whether rows name far more objects of the backend than they do not. */
function* areFew(sql: Sql, backend: string): Step<boolean> {
  const surplus = yield* first<{ count: number }>(sql`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM surplus_objects WHERE backend = ${backend} LIMIT ${countedAtMost}
    ) AS counted`)
  const enough = (surplus?.count ?? 0) * oneIn
  const named = yield* first<{ count: number }>(sql`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM blob_locations WHERE backend = ${backend} LIMIT ${enough}
    ) AS counted`)
  return (named?.count ?? 0) >= enough
}
