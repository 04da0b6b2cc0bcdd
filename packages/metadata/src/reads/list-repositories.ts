import type { ListingScope, Page, PageRequest, RepositoryFacts } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

/** See `MetadataStore.listRepositories`. */
export function* listRepositories(
  sql: Sql,
  scope: ListingScope,
  page: PageRequest<string>,
): Step<Page<RepositoryFacts>> {
  const rows = yield* all<RepositoryFacts>(
    scope.kind === 'public'
      ? sql`
        SELECT id, name, visibility FROM live_repositories
        WHERE listed AND visibility = 'public' AND name > ${startAfter(page)} ORDER BY name LIMIT ${rowsFor(page)}`
      : sql`
        SELECT id, name, visibility FROM live_repositories
        WHERE listed AND name > ${startAfter(page)} ORDER BY name LIMIT ${rowsFor(page)}`,
  )
  return pageOf(rows, page, ({ id, name, visibility }) => ({ id, name, visibility }))
}
