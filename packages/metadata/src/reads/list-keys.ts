import type { Page, PageRequest, StorageKey } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

/** See `ScrubStore.listKeys`. */
export function* listKeys(
  sql: Sql,
  backend: string,
  prefix: string,
  page: PageRequest<string>,
): Step<Page<StorageKey>> {
  const after = startAfter(page)
  const rows = yield* all<{ key: StorageKey }>(sql`
    SELECT key FROM blob_locations
    WHERE backend = ${backend} AND key > ${after > prefix ? after : prefix} AND key < ${endOf(prefix)}
      AND state = 'good'
    ORDER BY key LIMIT ${rowsFor(page)}`)
  return pageOf(rows, page, (row) => row.key)
}

/** What is greater than every key with this prefix: keys are hexadecimal. */
export function endOf(prefix: string): string {
  return `${prefix}g`
}
