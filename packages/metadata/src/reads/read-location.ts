import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.readLocation`. */
export function* readLocation(
  sql: Sql,
  id: number,
): Step<{ leaves: Uint8Array; bytes: Uint8Array | null } | null> {
  const row = yield* first<{ leaves: Uint8Array; bytes: Uint8Array | null }>(sql`
    SELECT b.leaves, l.bytes FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id WHERE l.id = ${id}`)
  return row && { leaves: row.leaves, bytes: row.bytes }
}
