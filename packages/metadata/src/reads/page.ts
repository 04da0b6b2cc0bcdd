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

/**
 * Puts a page in order that was joined to its repository. The page is ordered and limited in a subquery: an engine that
 * sees only the whole join does not know that it is one repository, and would sort all that follows at every request. A
 * join keeps no order that one could count on.
 */
export function sortedBy<R>(rows: readonly R[], key: (row: R) => string | number): R[] {
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
