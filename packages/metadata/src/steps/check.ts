import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.check`. The transaction around it is the question; there is nothing to write. */
export function* check(sql: Sql): Step<void> {
  yield* run(sql`SELECT max(version) FROM schema_migrations`)
}
