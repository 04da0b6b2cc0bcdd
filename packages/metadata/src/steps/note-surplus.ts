import type { Milliseconds, StorageKey, SurplusObject } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.noteSurplus`. The first 32 digits of a key are the id of the session that it was written for. */
export function* noteSurplus(
  sql: Sql,
  { backend, keys, age }: { backend: string; keys: readonly StorageKey[]; age: Milliseconds },
): Step<SurplusObject[]> {
  const rows = yield* all<{ key: StorageKey; due: unknown }>(sql`
    INSERT INTO surplus_objects (backend, key, found_at, seen_at)
    SELECT ${backend}, found.value, ${sql.now}, ${sql.now} FROM ${sql.texts(keys)} AS found
    WHERE NOT EXISTS (SELECT 1 FROM uploads AS u WHERE u.id = substr(found.value, 1, 32))
      AND NOT EXISTS (SELECT 1 FROM blob_locations AS l WHERE l.backend = ${backend} AND l.key = found.value)
      AND NOT EXISTS (SELECT 1 FROM pending_deletes AS d WHERE d.backend = ${backend} AND d.key = found.value)
    ON CONFLICT (backend, key) DO UPDATE SET seen_at = excluded.seen_at
    RETURNING key, found_at <= ${sql.now} - ${age} AS due`)
  return rows.map(({ key, due }) => ({ key, due: Boolean(due) }))
}
