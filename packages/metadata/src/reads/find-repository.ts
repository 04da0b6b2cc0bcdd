import type { RepositoryFacts, Visibility } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.findRepository`. */
export function* findRepository(sql: Sql, name: RepositoryName): Step<RepositoryFacts | null> {
  const row = yield* first<{ id: string; visibility: Visibility }>(sql`
    SELECT id, visibility FROM live_repositories WHERE name = ${name}`)
  return row && { id: row.id, name, visibility: row.visibility }
}
