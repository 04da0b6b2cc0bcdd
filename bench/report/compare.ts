import type { Budget, Metric, Row } from '../rows/row.ts'
import { median } from '../statistics.ts'
import type { Result } from '../turns.ts'

/** Whose labels mean what in the results. */
export interface Labels {
  /** Ours, in all shapes that took part. */
  ours: readonly string[]
  /** The peers that the best one is sought among. */
  peers: readonly string[]
  /** The one that is also compared by itself, distribution 3. */
  special: string
}

/** What one shape of ours reached in one metric. Ratios are above 1 where we are ahead, and NaN where either is missing. */
export interface Standing {
  label: string
  toBest: number
  toSpecial: number
  /** Whether each budget of the metric is met; null where it cannot be told. */
  verdicts: readonly (boolean | null)[]
}

/** One metric of one row, compared. */
export interface Comparison {
  metric: Metric
  /** Median of the turns, by label. */
  medians: ReadonlyMap<string, number>
  /** The same metric of the small registry against this one, by label; above 1 where the large one is better. */
  toSmall: ReadonlyMap<string, number>
  /** In the order of the labels. */
  standings: readonly Standing[]
}

/** How many times better the first value is than the second. */
export function ratio(better: Metric['better'], ours: number, theirs: number): number {
  return better === 'higher' ? ours / theirs : theirs / ours
}

function mediansOf(row: string, metric: Metric, results: readonly Result[]): Map<string, number> {
  const medians = new Map<string, number>()
  for (const { row: id, label, samples } of results) {
    if (id === row && samples.length > 0) {
      medians.set(label, median(samples.map((sample) => metric.value(sample))))
    }
  }
  return medians
}

/** What a budget is held against. */
interface Reached {
  value: number
  toBest: number
  toReference: number
  toSmall: number
}

function verdict(budget: Budget, reached: Reached): boolean | null {
  switch (budget.kind) {
    case 'absolute':
      return Number.isFinite(reached.value) ? reached.value <= budget.atMost : null
    case 'least':
      return Number.isFinite(reached.value) ? reached.value >= budget.atLeast : null
    case 'ratio':
      return atLeast(reached.toBest, budget.atLeast)
    case 'reference':
      return atLeast(reached.toReference, budget.atLeast)
    case 'growth':
      return atLeast(reached.toSmall, budget.atLeast)
  }
}

function atLeast(value: number, limit: number): boolean | null {
  return Number.isFinite(value) ? value >= limit : null
}

/**
 * Compares the medians of one metric.
 *
 * @param small the row that does the same on a small registry, if there is one
 */
export function compare(
  row: Row,
  metric: Metric,
  results: readonly Result[],
  labels: Labels,
  small?: Row,
): Comparison {
  const medians = mediansOf(row.id, metric, results)
  const smallMetric = small?.metrics[row.metrics.indexOf(metric)]
  const before = small && smallMetric ? mediansOf(small.id, smallMetric, results) : new Map<string, number>()
  const toSmall = new Map<string, number>()
  for (const [label, value] of medians) {
    toSmall.set(label, ratio(metric.better, value, before.get(label) ?? NaN))
  }
  const standings = labels.ours.map((label): Standing => {
    const value = medians.get(label) ?? NaN
    const to = (other: string): number => ratio(metric.better, value, medians.get(other) ?? NaN)
    // The best peer is the one that leaves us the smallest lead.
    const toPeers = labels.peers.map(to).filter((one) => Number.isFinite(one))
    const toBest = toPeers.length > 0 ? Math.min(...toPeers) : NaN
    const toReference = row.reference ? to(row.reference.label) : NaN
    const reached = { value, toBest, toReference, toSmall: toSmall.get(label) ?? NaN }
    const verdicts = metric.budgets.map((budget) => verdict(budget, reached))
    return { label, toBest, toSpecial: to(labels.special), verdicts }
  })
  return { metric, medians, toSmall, standings }
}
