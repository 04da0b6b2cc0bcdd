import type { Budget, Metric, Row } from '../rows/row.ts'
import type { Labels, Standing } from './compare.ts'
import type { ComparedRow } from './compared-row.ts'
import { inTimes, markdownTable } from './numbers.ts'

/** A budget as the tables show it. */
export function inWords(budget: Budget, { reference }: Row, { unit }: Metric): string {
  switch (budget.kind) {
    case 'absolute':
      return `≤ ${budget.atMost} ${unit}`
    case 'least':
      return `≥ ${budget.atLeast} ${unit}`
    case 'reference':
      return `≥ ${budget.atLeast}× ${reference?.label ?? ''}`
    case 'growth':
      return `≥ ${budget.atLeast}× of small`
    case 'ratio':
      return `≥ ${budget.atLeast}×${budget.aim === undefined ? '' : `, aim ${budget.aim}×`}`
  }
}

/** Whether a budget is met. */
export function verdictInWords(met: boolean | null): string {
  return met === null ? '–' : met ? 'met' : '**missed**'
}

function standingOf({ toBest, verdicts }: Standing, budgets: readonly Budget[]): string {
  // How costs grow has a table of its own.
  const words = verdicts.filter((_, index) => budgets[index]?.kind !== 'growth').map(verdictInWords)
  return [inTimes(toBest), words.join(', ')].filter((part) => part !== '').join(' ')
}

/** Each shape of ours beside the best peer, and the budgets. */
export function standingTable(compared: readonly ComparedRow[], { ours, special }: Labels): string {
  const [first = 'ours'] = ours
  const lines = compared.map(({ row, comparison: { metric, standings } }) => {
    const budgets = metric.budgets.filter(({ kind }) => kind !== 'growth')
    return [
      metric.title,
      budgets.map((budget) => inWords(budget, row, metric)).join('; ') || '–',
      ...standings.map((standing) => standingOf(standing, metric.budgets)),
      inTimes(standings[0]?.toSpecial ?? NaN),
    ]
  })
  const header = ['work', 'budget', ...ours.map((label) => `${label} / best peer`), `${first} / ${special}`]
  return markdownTable(header, lines)
}
