import type { Milliseconds } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.databaseTime`. */
export function* databaseTime(sql: Sql): Step<Milliseconds> {
  return (yield* first<{ now: Milliseconds }>(sql`SELECT ${sql.now} AS now`))?.now ?? 0
}
