import { RegistryError } from '@openregistry/oci'
import { migrations } from '../../migrations/index.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** The schema that the steps were written for. */
const needed: number = migrations.at(-1)?.version ?? 0

/**
 * See `MetadataStore.check`. The transaction around it is the question; there is nothing to write. A database that was
 * restored from an older backup under a running server has lost tables that it needs.
 */
export function* check(sql: Sql): Step<void> {
  const schema = yield* first<{ version: number | null }>(
    sql`SELECT max(version) AS version FROM schema_migrations`,
  )
  const found = schema?.version ?? 0
  if (found >= needed) return
  throw new RegistryError(
    'METADATA_UNAVAILABLE',
    `The database has schema ${found}, this program needs schema ${needed}. Run "openregistry migrate".`,
    { detail: { part: 'schema' } },
  )
}
