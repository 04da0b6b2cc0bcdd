import type { MetricJson } from './snapshot.ts'

/*
 * Counters that requests write to. prom-client looks labels up at every call, which costs more than a small query; these
 * are plain numbers, found once, and rendered when somebody asks.
 */

type Labels = Readonly<Record<string, string>>

/** One counter of a family. */
export class Count {
  value = 0
}

/** A counter with labels. Once there, a count stays. */
export class CountFamily {
  readonly name: string
  readonly #help: string
  readonly #counts: { labels: Labels; count: Count }[] = []

  constructor(name: string, help: string) {
    this.name = name
    this.#help = help
  }

  /** A count of its own for these labels. Ask once and keep it. */
  add(labels: Labels): Count {
    const count = new Count()
    this.#counts.push({ labels, count })
    return count
  }

  get(): Promise<MetricJson> {
    const values = this.#counts.map(({ labels, count }) => ({ labels, value: count.value }))
    return Promise.resolve({ name: this.name, help: this.#help, type: 'counter', aggregator: 'sum', values })
  }
}

/** One histogram of a family. */
export class Timings {
  readonly counts: Float64Array
  sum = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Costs a few nanoseconds. */
  observe(seconds: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += seconds
  }
}

/** A histogram of durations with labels. What never happened is not rendered. */
export class TimingFamily {
  readonly name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #timings: { labels: Labels; timings: Timings }[] = []

  /** @param bounds upper bounds of the buckets, in seconds. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.#help = help
    this.#bounds = bounds
  }

  /** Timings of their own for these labels. Ask once and keep them. */
  add(labels: Labels): Timings {
    const timings = new Timings(this.#bounds)
    this.#timings.push({ labels, timings })
    return timings
  }

  get(): Promise<MetricJson> {
    const values = this.#timings.flatMap(({ labels, timings }) => this.#valuesOf(labels, timings))
    return Promise.resolve({
      name: this.name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values,
    })
  }

  #valuesOf(labels: Labels, { counts, sum }: Timings): MetricJson['values'] {
    let total = 0
    const buckets = Array.from(counts, (count, index) => {
      total += count
      const le = index < this.#bounds.length ? this.#bounds[index]! : '+Inf'
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total }
    })
    if (total === 0) return []
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ]
  }
}

/** A number that goes up and down. The values of several processes are added up. */
export class GaugeFamily {
  readonly name: string
  readonly #help: string
  readonly #values = new Map<string, { labels: Labels; value: number }>()

  constructor(name: string, help: string) {
    this.name = name
    this.#help = help
  }

  /** Gives it a value. */
  set(value: number, labels: Labels = {}): void {
    this.#values.set(JSON.stringify(labels), { labels, value })
  }

  /** Adds to its value, or to 0. */
  add(change: number, labels: Labels = {}): void {
    this.set((this.#values.get(JSON.stringify(labels))?.value ?? 0) + change, labels)
  }

  /** Forgets its values: nothing is known. */
  reset(): void {
    this.#values.clear()
  }

  get(): Promise<MetricJson> {
    const values = [...this.#values.values()]
    return Promise.resolve({ name: this.name, help: this.#help, type: 'gauge', aggregator: 'sum', values })
  }
}
