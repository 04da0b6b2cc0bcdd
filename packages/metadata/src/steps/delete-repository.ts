import type { RepositoryName } from '@openregistry/oci'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `MetadataStore.deleteRepository`. One row changes, whatever is in the repository: nothing is found except through
 * it, and the collector takes the rest.
 */
export function* deleteRepository(sql: Sql, name: RepositoryName, principal: string): Step<boolean> {
  // Not stronger: steps that are at work in it would be waited for, and where many push there is always one. What they
  // still add came before the deletion; the collector, which begins when none of them is left, takes that, too.
  const repository = yield* first<{ id: string }>(sql`
    SELECT id FROM live_repositories WHERE name = ${name} ${sql.lock('FOR NO KEY UPDATE')}`)
  if (repository === null) return false
  yield* run(sql`
    UPDATE repositories SET deleted_at = ${sql.now}, deleted_by = ${principal} WHERE id = ${repository.id}`)
  return true
}
