let last = 0

/** Milliseconds on a clock that never shows the same time twice, so that of two moments one is always the earlier. */
export function tick(): number {
  last = Math.max(performance.now(), last + 1e-6)
  return last
}

/** The time in which something happened, from its request to its answer. */
export interface Span {
  from: number
  until: number
}
