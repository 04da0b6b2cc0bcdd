/** What a client asks of a list: entries after `last`, at most `n`; both may be missing. */
export interface ListInput {
  last: string | null
  n: number | null
}

/** One page; `next` is what to ask for as `last` to go on, or null at the end. */
export interface Listed<T> {
  items: T[]
  next: string | null
}

/** The size of the page that the client gets: what it asked for, but never more than the limit. */
export function pageSize(n: number | null, limit: number): number {
  return n === null ? limit : Math.min(n, limit)
}
