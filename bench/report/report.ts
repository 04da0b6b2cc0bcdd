import type { Machine } from '../machine.ts'
import type { FoundPeer } from '../peers/index.ts'
import type { Budget, Metric, Row, Sample } from '../rows/row.ts'
import { median } from '../statistics.ts'
import type { Result } from '../turns.ts'
import { compare, type Comparison, type Labels } from './compare.ts'
import { inDigits, inTimes, markdownTable } from './numbers.ts'

/** Everything the report is made of. */
export interface Run {
  machine: Machine
  found: readonly FoundPeer[]
  rows: readonly Row[]
  results: readonly Result[]
  repeat: number
  quick: boolean
}

function labelsOf(found: readonly FoundPeer[]): Labels {
  const others = found.filter(({ peer }) => peer.id !== 'openregistry' && peer.id !== 'bare')
  return { ours: 'OpenRegistry', peers: others.map(({ peer }) => peer.label), special: 'distribution 3' }
}

function inWords(budget: Budget, { reference }: Row, { unit }: Metric): string {
  switch (budget.kind) {
    case 'absolute':
      return `≤ ${budget.atMost} ${unit}`
    case 'reference':
      return `≥ ${budget.atLeast}× ${reference?.label ?? ''}`
    case 'ratio':
      return `≥ ${budget.atLeast}×${budget.aim === undefined ? '' : `, aim ${budget.aim}×`}`
  }
}

function line(row: Row, comparison: Comparison, columns: readonly string[]): string[] {
  const { metric, medians, toBest, toSpecial, verdicts } = comparison
  return [
    metric.title,
    metric.unit,
    ...columns.map((label) => inDigits(medians.get(label) ?? NaN)),
    inTimes(toBest),
    inTimes(toSpecial),
    metric.budgets.map((budget) => inWords(budget, row, metric)).join('; ') || '–',
    verdicts.map((met) => (met === null ? '–' : met ? 'met' : '**missed**')).join('; ') || '–',
  ]
}

function comparisonTable({ found, rows, results }: Run): string {
  const labels = labelsOf(found)
  const references = rows.flatMap(({ reference }) => (reference ? [reference.label] : []))
  const columns = [...found.map(({ peer }) => peer.label), ...new Set(references)]
  const header = [
    'work',
    'unit',
    ...columns,
    'ours / best peer',
    'ours / distribution 3',
    'budget',
    'verdict',
  ]
  const lines = rows.flatMap((row) =>
    row.metrics.map((metric) => line(row, compare(row, metric, results, labels), columns)),
  )
  return markdownTable(header, lines)
}

/** CPU of a transfer by its bytes, of small operations by their number. */
function cpuCost({ cpuSeconds, bytes, operations }: Sample): string {
  if (bytes > 0) return `${inDigits(cpuSeconds / (bytes / 1e9))} s/GB`
  return operations > 1 ? `${inDigits((cpuSeconds / operations) * 1e6)} µs each` : `${inDigits(cpuSeconds)} s`
}

/** Of the turn in the middle, so that the numbers of one line belong together. */
function typical(metric: Metric, samples: readonly Sample[]): Sample | undefined {
  return samples.toSorted((a, b) => metric.value(a) - metric.value(b))[samples.length >> 1]
}

function detailLine({ metrics: [metric] }: Row, { label, samples }: Result): string[] {
  const sample = metric && typical(metric, samples)
  if (!metric || !sample) return [label, 'failed', '–', '–', '–', '–', '–']
  const values = samples.map((one) => metric.value(one))
  const peak = median(samples.map(({ peakMemory }) => peakMemory))
  return [
    label,
    `${inDigits(median(values))} ${metric.unit}`,
    `${inDigits(Math.min(...values))} … ${inDigits(Math.max(...values))}`,
    inDigits(sample.p50),
    inDigits(sample.p99),
    Number.isFinite(sample.cpuSeconds) ? cpuCost(sample) : '–',
    inDigits(peak / 1e6),
  ]
}

function detailTable({ rows, results }: Run): string {
  const header = ['work', 'registry', 'median', 'range', 'p50 ms', 'p99 ms', 'CPU', 'peak memory MB']
  const lines = rows.flatMap((row) =>
    results
      .filter((result) => result.row === row.id)
      .map((result) => [row.metrics[0]?.title ?? row.id, ...detailLine(row, result)]),
  )
  return markdownTable(header, lines)
}

/** The whole report as Markdown. */
export function markdownReport(run: Run): string {
  const { machine, found, repeat, quick } = run
  const { processor, cores, memoryGiB, kernel, fileSystem, node, loadBefore } = machine
  const versions = found.map(({ peer, version }) => `${peer.label} (${version})`).join(', ')
  return [
    `${cores} cores of ${processor}, ${memoryGiB} GiB, ${kernel}, ${fileSystem}, Node ${node}; load before the run ${inDigits(loadBefore)}.`,
    `${versions}. Medians of ${repeat} ${repeat === 1 ? 'turn' : 'turns'}. A ratio above 1 means that we are ahead.`,
    ...(quick ? ['**A quick run: less work than the titles say. Not for conclusions.**'] : []),
    comparisonTable(run),
    'In detail; CPU and memory are those of the whole process tree, memory is private and shared without page cache.',
    detailTable(run),
  ].join('\n\n')
}
