import type { Metric, Row, Sample } from '../rows/row.ts'
import { median } from '../statistics.ts'
import type { Result } from '../turns.ts'
import { inDigits, markdownTable } from './numbers.ts'

/** CPU of a transfer by its bytes, of small operations by their number. */
function cpuCost(cpuSeconds: number, { bytes, operations }: Sample): string {
  if (!Number.isFinite(cpuSeconds)) return '–'
  if (bytes > 0) return `${inDigits(cpuSeconds / (bytes / 1e9))} s/GB`
  return operations > 1 ? `${inDigits((cpuSeconds / operations) * 1e6)} µs each` : `${inDigits(cpuSeconds)} s`
}

/** Of the turn in the middle, so that the numbers of one line belong together. */
function typical(metric: Metric, samples: readonly Sample[]): Sample | undefined {
  return samples.toSorted((a, b) => metric.value(a) - metric.value(b))[samples.length >> 1]
}

function detailLine({ metrics: [metric] }: Row, { label, samples, failure }: Result): string[] {
  const sample = metric && typical(metric, samples)
  if (!metric || !sample) return [label, `failed: ${failure ?? 'no turn'}`, '–', '–', '–', '–', '–', '–']
  const values = samples.map((one) => metric.value(one))
  const peak = median(samples.map(({ peakMemory }) => peakMemory))
  return [
    label,
    `${inDigits(median(values))} ${metric.unit}`,
    `${inDigits(Math.min(...values))} … ${inDigits(Math.max(...values))}`,
    inDigits(sample.p50),
    inDigits(sample.p99),
    cpuCost(sample.cpuSeconds, sample),
    cpuCost(sample.databaseCpuSeconds, sample),
    inDigits(peak / 1e6),
  ]
}

/** One line for each registry in each row. */
export function detailTable({ rows, results }: { rows: readonly Row[]; results: readonly Result[] }): string {
  const header = [
    'work',
    'registry',
    'median',
    'range',
    'p50 ms',
    'p99 ms',
    'CPU',
    'database CPU',
    'memory MB',
  ]
  const lines = rows.flatMap((row) =>
    results
      .filter((result) => result.row === row.id)
      .map((result) => [row.metrics[0]?.title ?? row.id, ...detailLine(row, result)]),
  )
  return markdownTable(header, lines)
}
