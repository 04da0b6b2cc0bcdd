import { parseArgs } from 'node:util'
import { PostgresCluster, canMount, findIpfsPeer, findPostgres, findVersitygw } from '@openregistry/testkit'
import { describeResult, describeTotals } from './describe.ts'
import { allFaults, kills, longFaults, type Fault } from './faults/index.ts'
import { runMutations } from './mutations/run-mutations.ts'
import { runSeed, type SeedOptions, type SeedResult } from './seed-run.ts'
import { allShapes, needsKubo, needsPostgres, type Shape } from './under-test/deployment.ts'

const help = `npm run faults -- [options]

Lets clients push, pull and delete while the registry is killed, loses its power, runs out of disk and so on, and compares
all that they see with a model of what must be true. See tools/faults/README.md.

  --seeds N          runs with N seeds (default 8), the first of which is --from
  --from N           (default 1)
  --seed S           one run with this seed, to see a failure again
  --shape SHAPE      embedded, replicas, supervisor, s3, kubo, cluster or stack (default: in turn; one seed: in all)
  --fault NAME       this fault alone, for example "power cut" or "database away for 30 s"
  --faults N         faults that a run needs at least (default 6)
  --kills N          kills alone, and at least so many in each run
  --short            leases of seconds, hardly any grace, and collection all the time (else every third seed)
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
    fault: { type: 'string' },
    faults: { type: 'string', default: '6' },
    kills: { type: 'string' },
    acknowledged: { type: 'string' },
    mutations: { type: 'boolean', default: false },
    only: { type: 'string' },
    'until-red': { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(help)
else if (values.mutations) await runAllMutations()
else await runAll()

async function runAll(): Promise<void> {
  if (!(await canMount()))
    process.stderr.write('This user may not mount file systems: full disks are left out.\n')
  const shapes = chosenShapes()
  const first = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  const results: SeedResult[] = []
  await using cluster = shapes.some(needsPostgres) ? await PostgresCluster.start({ ownDisk: true }) : null
  for (let seed = first; seed < first + count; seed++) {
    // A single seed is run in all shapes; many take turns.
    const turn = values.seed === undefined ? shapes.slice(seed % shapes.length).slice(0, 1) : shapes
    for (const shape of turn) {
      const result = await runSeed(optionsOf(seed, shape, cluster))
      results.push(result)
      process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : describeResult(result))
      if (result.violations.length === 0) continue
      process.exitCode = 1
      if (values['until-red']) return
    }
  }
  if (!values.json && results.length > 1) process.stdout.write(describeTotals(results))
}

async function runAllMutations(): Promise<void> {
  const onResult = (line: string): void => void process.stdout.write(`${line}\n`)
  const missed = await runMutations({ only: values.only, seeds: Number(values.seeds), onResult })
  process.stdout.write(missed.length === 0 ? 'All were noticed.\n' : `Not noticed: ${missed.join('; ')}\n`)
  if (missed.length > 0) process.exitCode = 1
}

function chosenShapes(): readonly Shape[] {
  const chosen = allShapes.filter((shape) => values.shape === undefined || values.shape === shape)
  if (chosen.length === 0)
    throw new Error(`There is no shape ${values.shape}; there are ${allShapes.join(', ')}.`)
  return chosen.filter((shape) => {
    const lacks = missingFor(shape)
    if (lacks !== null) process.stderr.write(`${lacks} is not installed: the shape "${shape}" is left out.\n`)
    return lacks === null
  })
}

/** A server of others that a shape needs and that is not here, or null. */
function missingFor(shape: Shape): string | null {
  if (needsPostgres(shape) && findPostgres() === null) return 'PostgreSQL'
  if (shape === 's3' && findVersitygw() === null) return 'versitygw'
  if (shape === 'cluster' && findIpfsPeer('ipfs-cluster') === null) return 'IPFS Cluster'
  return needsKubo(shape) && findIpfsPeer('kubo') === null ? 'Kubo' : null
}

function chosenFaults(): readonly Fault[] {
  if (values.kills !== undefined) return kills
  const { fault } = values
  if (fault === undefined) return allFaults
  const named = [...new Set([...allFaults, ...longFaults])].filter(({ name }) => name === fault)
  if (named.length === 0) throw new Error(`There is no fault ${fault}.`)
  return named
}

function optionsOf(seed: number, shape: Shape, cluster: PostgresCluster | null): SeedOptions {
  const onlyKills = values.kills !== undefined
  return {
    seed,
    shape,
    cluster,
    faults: chosenFaults(),
    least: {
      faults: Number(values.kills ?? values.faults),
      acknowledged: Number(values.acknowledged ?? (onlyKills ? 500 : 200)),
    },
    short: values.short,
    keep: values.keep,
    clients: 6,
    operations: onlyKills ? 10 : 18,
  }
}
