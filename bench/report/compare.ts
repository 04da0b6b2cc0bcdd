import type { Budget, Metric, Row } from '../rows/row.ts'
import { median } from '../statistics.ts'
import type { Result } from '../turns.ts'

/** Whose labels mean what in the results. */
export interface Labels {
  ours: string
  /** The peers that the best one is sought among. */
  peers: readonly string[]
  /** The one that gets a column of its own, distribution 3. */
  special: string
}

/** One metric of one row, compared. */
export interface Comparison {
  metric: Metric
  /** Median of the turns, by label. */
  medians: ReadonlyMap<string, number>
  /** Above 1 means that we are ahead, whichever direction is better; NaN where either is missing. */
  toBest: number
  toSpecial: number
  /** Whether each budget of the metric is met; null where it cannot be told. */
  verdicts: readonly (boolean | null)[]
}

/** How many times better the first value is than the second. */
export function ratio(better: Metric['better'], ours: number, theirs: number): number {
  return better === 'higher' ? ours / theirs : theirs / ours
}

function verdict(budget: Budget, ours: number, toBest: number, toReference: number): boolean | null {
  const [value, met] =
    budget.kind === 'absolute'
      ? [ours, ours <= budget.atMost]
      : budget.kind === 'ratio'
        ? [toBest, toBest >= budget.atLeast]
        : [toReference, toReference >= budget.atLeast]
  return Number.isFinite(value) ? met : null
}

/** Compares the medians of one metric. */
export function compare(row: Row, metric: Metric, results: readonly Result[], labels: Labels): Comparison {
  const medians = new Map<string, number>()
  for (const { row: id, label, samples } of results) {
    if (id === row.id && samples.length > 0)
      medians.set(label, median(samples.map((sample) => metric.value(sample))))
  }
  const ours = medians.get(labels.ours) ?? NaN
  const toLabel = (label: string): number => ratio(metric.better, ours, medians.get(label) ?? NaN)
  // The best peer is the one that leaves us the smallest lead.
  const toPeers = labels.peers.map(toLabel).filter((value) => Number.isFinite(value))
  const toBest = toPeers.length > 0 ? Math.min(...toPeers) : NaN
  const toReference = row.reference ? toLabel(row.reference.label) : NaN
  return {
    metric,
    medians,
    toBest,
    toSpecial: toLabel(labels.special),
    verdicts: metric.budgets.map((budget) => verdict(budget, ours, toBest, toReference)),
  }
}
