import type { ExposedRepository, Page, PageRequest } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

/** See `PlacementStore.listExposed`. */
export function* listExposed(
  sql: Sql,
  backends: readonly string[],
  page: PageRequest<RepositoryName>,
): Step<Page<ExposedRepository>> {
  const rows = yield* all<ExposedRepository>(sql`
    SELECT r.name, CASE WHEN r.visibility = 'private' THEN (
      SELECT k.backend FROM repository_blobs AS k
      WHERE k.repository_id = r.id AND k.backend IN ${sql.texts(backends)} LIMIT 1
    ) END AS backend
    FROM live_repositories AS r WHERE r.name > ${startAfter(page)} ORDER BY r.name LIMIT ${rowsFor(page)}`)
  return pageOf(rows, page, ({ name, backend }) => ({ name, backend }))
}
