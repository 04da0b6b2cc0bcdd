/** Middle value; the mean of the two middle ones when their number is even. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined) return NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/**
 * Nearest-rank percentile: the smallest value that at least `share` of all values do not exceed.
 *
 * @param sorted values in rising order
 * @param share between 0 and 1, 0.99 for the 99th percentile
 * @returns NaN for no values
 */
export function percentile(sorted: Float64Array | readonly number[], share: number): number {
  const rank = Math.ceil(share * sorted.length)
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? NaN
}

/** The order of one round: everybody moves up one place from round to round, so that nobody is always first. */
export function rotate<T>(items: readonly T[], round: number): T[] {
  if (items.length === 0) return []
  const first = round % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

/** Grows by doubling, so that keeping a million latencies costs the client nothing per request. */
export class Latencies {
  #values = new Float64Array(4096)
  #count = 0

  /** Keeps one latency in milliseconds. */
  add(milliseconds: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#count * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = milliseconds
  }

  /** How many were kept, and their median and 99th percentile in milliseconds. */
  summary(): { count: number; p50: number; p99: number } {
    const sorted = this.#values.slice(0, this.#count).sort()
    return { count: this.#count, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
  }
}
