import type { Result } from '../turns.ts'
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

function line(
  { row, comparison: { metric, toSmall, standings } }: ComparedRow,
  labels: readonly string[],
): string[] {
  const index = metric.budgets.findIndex(({ kind }) => kind === 'growth')
  const budget = metric.budgets[index]
  const cells = labels.map((label) => {
    const standing = standings.find((one) => one.label === label)
    const words = standing && budget ? ` ${verdictInWords(standing.verdicts[index] ?? null)}` : ''
    return `${inTimes(toSmall.get(label) ?? NaN)}${words}`
  })
  return [metric.title, budget ? inWords(budget, row, metric) : '–', ...cells]
}

/** How the large registry compares with the small one, for everybody by themselves; null where nothing was compared. */
export function growthTable(compared: readonly ComparedRow[], results: readonly Result[]): string[] | null {
  const grown = compared.filter(({ comparison }) => [...comparison.toSmall.values()].some(Number.isFinite))
  if (grown.length === 0) return null
  const labels = [...new Set(grown.flatMap(({ comparison }) => [...comparison.medians.keys()]))]
  return [
    'Large registry over small registry, everybody compared with themselves; 1 means that costs do not grow.',
    contents(labels, results),
    markdownTable(
      ['work', 'budget', ...labels],
      grown.map((one) => line(one, labels)),
    ),
  ]
}
