import type { Result } from '../turns.ts'
import { median } from '../statistics.ts'
import type { ComparedRow } from './compared-row.ts'
import { inTimes, markdownTable } from './numbers.ts'
import { inWords, verdictInWords } from './standings.ts'

/** What the large registries held; a line for each that differs. */
function contents(labels: readonly string[], results: readonly Result[]): string {
  const words = new Map<string, string[]>()
  for (const label of labels) {
    const seeded = results.find((result) => result.label === label && result.seeded !== null)?.seeded
    if (seeded) words.set(seeded, [...(words.get(seeded) ?? []), label])
  }
  return Array.from(words, ([seeded, who]) => `- ${who.join(', ')}: ${seeded}.`).join('\n')
}

/** Median of the CPU seconds of one operation, those of its database included; NaN where it was not measured. */
function cpuOf(row: string | undefined, label: string, results: readonly Result[]): number {
  const result = results.find((one) => one.row === row && one.label === label)
  const costs = result?.samples.map(({ cpuSeconds, databaseCpuSeconds, operations }) => {
    const database = Number.isFinite(databaseCpuSeconds) ? databaseCpuSeconds : 0
    return (cpuSeconds + database) / operations
  })
  return median(costs ?? [])
}

function line(
  { row, comparison: { metric, toSmall, standings } }: ComparedRow,
  labels: readonly string[],
  results: readonly Result[],
): string[] {
  const index = metric.budgets.findIndex(({ kind }) => kind === 'growth')
  const budget = metric.budgets[index]
  const cells = labels.map((label) => {
    const standing = standings.find((one) => one.label === label)
    const words = standing && budget ? ` ${verdictInWords(standing.verdicts[index] ?? null)}` : ''
    const reached = `${inTimes(toSmall.get(label) ?? NaN)}${words}`
    const cpu = cpuOf(row.id, label, results) / cpuOf(row.small, label, results)
    return metric.unit === '1/s' && Number.isFinite(cpu) ? `${reached}, CPU ${inTimes(cpu)}` : reached
  })
  return [metric.title, budget ? inWords(budget, row, metric) : '–', ...cells]
}

/** How the large registry compares with the small one, for everybody by themselves; null where nothing was compared. */
export function growthTable(compared: readonly ComparedRow[], results: readonly Result[]): string[] | null {
  const grown = compared.filter(({ comparison }) => [...comparison.toSmall.values()].some(Number.isFinite))
  if (grown.length === 0) return null
  const labels = [...new Set(grown.flatMap(({ comparison }) => [...comparison.medians.keys()]))]
  return [
    'Large registry over small registry, everybody compared with themselves; 1 means that costs do not grow. CPU is that of one operation, its database included: of the large over the small one, so that less is better.',
    contents(labels, results),
    markdownTable(
      ['work', 'budget', ...labels],
      grown.map((one) => line(one, labels, results)),
    ),
  ]
}
