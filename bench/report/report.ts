import type { Machine } from '../machine.ts'
import type { FoundPeer } from '../peers/index.ts'
import type { Row } from '../rows/row.ts'
import type { Result } from '../turns.ts'
import { compare, type Labels } from './compare.ts'
import { detailTable } from './details.ts'
import { growthTable } from './growth.ts'
import { inDigits, markdownTable } from './numbers.ts'
import { standingTable } from './standings.ts'
import type { ComparedRow } from './compared-row.ts'

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
  const of = (kind: string): string[] =>
    found.filter(({ peer }) => peer.kind === kind).map(({ peer }) => peer.label)
  return { ours: of('ours'), peers: of('other'), special: 'distribution 3' }
}

/** What everybody reached. */
function valueTable({ found, rows }: Run, compared: readonly ComparedRow[]): string {
  const references = rows.flatMap(({ reference }) => (reference ? [reference.label] : []))
  const columns = [...found.map(({ peer }) => peer.label), ...new Set(references)]
  const lines = compared.map(({ comparison: { metric, medians } }) => [
    metric.title,
    metric.unit,
    ...columns.map((label) => inDigits(medians.get(label) ?? NaN)),
  ])
  return markdownTable(['work', 'unit', ...columns], lines)
}

/** The whole report as Markdown. */
export function markdownReport(run: Run): string {
  const { machine, found, rows, results, repeat, quick } = run
  const { processor, cores, memoryGiB, kernel, fileSystem, node, loadBefore } = machine
  const versions = found.map(({ peer, version }) => `${peer.label} (${version})`).join(', ')
  const labels = labelsOf(found)
  const compared = rows.flatMap((row) => {
    const small = rows.find(({ id }) => id === row.small)
    return row.metrics.map((metric) => ({
      row,
      comparison: compare(row, metric, results, labels, small),
    }))
  })
  const growth = growthTable(compared, results)
  return [
    `${cores} cores of ${processor}, ${memoryGiB} GiB, ${kernel}, ${fileSystem}, Node ${node}; load before the run ${inDigits(loadBefore)}.`,
    `${versions}. Medians of ${repeat} ${repeat === 1 ? 'turn' : 'turns'}.`,
    ...(quick ? ['**A quick run: less work than the titles say. Not for conclusions.**'] : []),
    valueTable(run, compared),
    'Compared; a ratio above 1 means that we are ahead.',
    standingTable(compared, labels),
    ...(growth === null ? [] : growth),
    'In detail; CPU and memory are those of the whole process tree, memory is private and shared without page cache. The database is a server of its own: its CPU stands apart, its memory is not counted.',
    detailTable(run),
  ].join('\n\n')
}
