import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `BackendTies.namesObjects`. */
export function* namesObjects(sql: Sql, backend: string): Step<boolean> {
  return yield* hit(sql`SELECT 1 FROM blob_locations WHERE backend = ${backend} LIMIT 1`)
}
