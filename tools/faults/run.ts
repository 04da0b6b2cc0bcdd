import { parseArgs } from 'node:util'
import { allFaults, kills } from './faults/index.ts'
import { runMutations } from './mutations/run-mutations.ts'
import { runSeed, type SeedOptions, type SeedResult } from './seed-run.ts'
import type { Shape } from './under-test/deployment.ts'

const help = `npm run faults -- [options]

Lets clients push, pull and delete while the registry is killed, loses its power, runs out of disk and so on, and compares
all that they see with a model of what must be true. See tools/faults/README.md.

  --seeds N          runs with N seeds (default 8), the first of which is --from
  --from N           (default 1)
  --seed S           one run with this seed, to see a failure again
  --shape SHAPE      embedded or replicas (default: both, in turn)
  --kills N          kills alone, and at least so many in each run
  --acknowledged N   acknowledged changes that a run needs at least (default 200; 500 with --kills)
  --mutations        takes promises of the sources away, one after the other, and sees that it is noticed
  --only TEXT        only mutations with this in their name
  --until-red        stop at the first run that fails
  --keep             leave log and data in any case
  --json             one JSON object for each run
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '8' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    shape: { type: 'string' },
    kills: { type: 'string' },
    acknowledged: { type: 'string' },
    mutations: { type: 'boolean', default: false },
    only: { type: 'string' },
    'until-red': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const shapes: readonly Shape[] = ['embedded']

if (values.help) process.stdout.write(help)
else if (values.mutations) await runAllMutations()
else await runAll()

async function runAll(): Promise<void> {
  const first = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  const results: SeedResult[] = []
  for (let seed = first; seed < first + count; seed++) {
    for (const shape of shapesOf(seed)) {
      const result = await runSeed(optionsOf(seed, shape))
      results.push(result)
      process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : lineOf(result))
      if (result.violations.length === 0) continue
      process.exitCode = 1
      if (values['until-red']) return
    }
  }
  if (!values.json && results.length > 1) process.stdout.write(totalsOf(results))
}

async function runAllMutations(): Promise<void> {
  const onResult = (line: string): void => void process.stdout.write(`${line}\n`)
  const missed = await runMutations({ only: values.only, seeds: Number(values.seeds), onResult })
  process.stdout.write(missed.length === 0 ? 'All were noticed.\n' : `Not noticed: ${missed.join('; ')}\n`)
  if (missed.length > 0) process.exitCode = 1
}

/** With both shapes wanted, seeds take turns; a single seed is run in both. */
function shapesOf(seed: number): readonly Shape[] {
  const chosen = shapes.filter((shape) => values.shape === undefined || values.shape === shape)
  if (chosen.length === 0) throw new Error(`There is no shape ${values.shape}.`)
  if (values.seed !== undefined) return chosen
  return chosen.slice(seed % chosen.length, (seed % chosen.length) + 1)
}

function optionsOf(seed: number, shape: Shape): SeedOptions {
  const onlyKills = values.kills !== undefined
  return {
    seed,
    shape,
    faults: onlyKills ? kills : allFaults,
    least: {
      faults: Number(values.kills ?? 6),
      acknowledged: Number(values.acknowledged ?? (onlyKills ? 500 : 200)),
    },
    keep: values.keep,
    clients: 6,
    operations: onlyKills ? 6 : 12,
  }
}

function lineOf({
  seed,
  shape,
  counts,
  rounds,
  milliseconds,
  peakMemory,
  violations,
  folder,
}: SeedResult): string {
  const { acknowledged, requests, unsure, faults } = counts
  const memory = `${Math.round(peakMemory / 2 ** 20)} MiB`
  const line = `seed ${seed} ${shape}: ${faults} faults, ${acknowledged} acknowledged, ${requests} requests (${unsure} unsure), ${rounds} rounds, ${(milliseconds / 1000).toFixed(1)} s, ${memory}: ${violations.length === 0 ? 'all there' : 'FAILED'}\n`
  if (violations.length === 0) return folder === null ? line : `${line}  Its log and data: ${folder}\n`
  const found = violations.slice(0, 10).map((text) => `  ${text}\n`)
  return `${line}${found.join('')}  Its log and data: ${folder}\n  Again: npm run faults -- --seed ${seed} --shape ${shape}\n`
}

function totalsOf(results: readonly SeedResult[]): string {
  const sum = (of: (result: SeedResult) => number): number =>
    results.reduce((total, one) => total + of(one), 0)
  const kinds = new Map<string, number>()
  for (const { faultKinds } of results)
    for (const [kind, count] of Object.entries(faultKinds)) kinds.set(kind, (kinds.get(kind) ?? 0) + count)
  const listed = [...kinds].sort(([a], [b]) => a.localeCompare(b)).map(([kind, count]) => `${kind} ${count}`)
  const failed = results.filter(({ violations }) => violations.length > 0).length
  return `${results.length} runs, ${failed} failed: ${sum(({ counts }) => counts.faults)} faults (${listed.join(', ')}), ${sum(({ counts }) => counts.acknowledged)} acknowledged changes, ${sum(({ counts }) => counts.requests)} requests\n`
}
