/** A worker that lived this long was in order: the count begins anew. Milliseconds. */
const settled = 60_000

/** Between two attempts to replace a worker, in milliseconds: none, then doubled each time, up to the greatest. */
const backOff = { first: 1000, most: 30_000 }

/** How often in a row a worker ended, and how long to wait before it is replaced. */
export interface Restart {
  /** 1: for the first time. */
  count: number
  delay: number
}

/** What to do about a worker that ended. @param before of the last time it ended, or null. */
export function nextRestart(before: Restart | null, lived: number): Restart {
  const count = before === null || lived >= settled ? 1 : before.count + 1
  const delay = count === 1 ? 0 : Math.min(backOff.most, backOff.first * 2 ** (count - 2))
  return { count, delay }
}
