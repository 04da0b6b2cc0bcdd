import { inlineBackend } from '../rows/location.ts'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.mendInline`. */
export function* mendInline(
  sql: Sql,
  { location, bytes }: { location: number; bytes: Uint8Array },
): Step<boolean> {
  return yield* hit(sql`
    UPDATE blob_locations SET bytes = ${bytes}, state = 'good', verified_at = ${sql.now},
      claim = NULL, claimed_until = NULL
    WHERE id = ${location} AND backend = ${inlineBackend} AND state <> 'good'
    RETURNING 1`)
}
