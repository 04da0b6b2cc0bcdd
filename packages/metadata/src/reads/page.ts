import type { Page, PageRequest } from '@openregistry/core'

/** Where a bytewise ordered list begins; every entry is greater than the empty string. */
export function startAfter(page: PageRequest<string>): string {
  return page.after ?? ''
}

/** One row more than the page has, to know whether another follows. */
export function rowsFor(page: PageRequest<unknown>): number {
  return page.limit + 1
}

/** The page that these rows are. */
export function pageOf<R, T>(rows: readonly R[], page: PageRequest<unknown>, item: (row: R) => T): Page<T> {
  const more = rows.length > page.limit
  return { items: (more ? rows.slice(0, page.limit) : rows).map(item), more }
}
