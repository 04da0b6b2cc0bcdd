import type { RepositoryFacts, Visibility } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.setVisibility`. One row changes, whatever is in the repository; its rows follow in steps of their own. */
export function* setVisibility(
  sql: Sql,
  name: RepositoryName,
  visibility: Visibility,
): Step<RepositoryFacts | null> {
  const repository = yield* first<{ id: string; visibility: Visibility }>(sql`
    SELECT id, visibility FROM live_repositories WHERE name = ${name} ${sql.lock('FOR NO KEY UPDATE')}`)
  if (repository === null) return null
  if (repository.visibility !== visibility) {
    yield* run(sql`
      UPDATE repositories SET visibility = ${visibility}, unsettled = TRUE WHERE id = ${repository.id}`)
  }
  return { id: repository.id, name, visibility }
}
