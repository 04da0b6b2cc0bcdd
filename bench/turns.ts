import type { Job } from './client/jobs/job.ts'
import { measureJob } from './measure.ts'
import type { FoundPeer } from './peers/index.ts'
import { Server, type Seeding } from './peers/server.ts'
import type { Ground, Row, Sample, Suite } from './rows/row.ts'
import type { Sizes } from './sizes.ts'
import { rotate } from './statistics.ts'

/** What a run is made with. */
export interface Plan {
  found: readonly FoundPeer[]
  sizes: Sizes
  /** Turns of every peer in every row. */
  repeat: number
  /** On the disk that is measured. */
  folder: string
  wrk: boolean
  /** Called before every turn: lets nobody pay for what somebody else has left in the page cache. */
  settle(): Promise<void>
  /** Progress for whoever waits. */
  say(line: string): void
}

/** All turns of one peer, or of a reference, in one row. */
export interface Result {
  row: string
  label: string
  samples: Sample[]
  /** Why there are no more samples. */
  failure: string | null
  /** What it held before it was started, in words; null for nothing. */
  seeded: string | null
}

interface Contestant {
  label: string
  seeded: string | null
  turn(): Promise<Sample>
}

async function runRow(row: Row, contestants: readonly Contestant[], plan: Plan): Promise<Result[]> {
  const { repeat, say } = plan
  const results = contestants.map(({ label, seeded }): Result => ({
    row: row.id,
    label,
    samples: [],
    failure: null,
    seeded,
  }))
  for (let round = 0; round < repeat; round++) {
    for (const { label, turn } of rotate(contestants, round)) {
      const result = results.find((candidate) => candidate.label === label)
      if (!result || result.failure !== null) continue
      await plan.settle()
      try {
        const sample = await turn()
        result.samples.push(sample)
        const [metric] = row.metrics
        if (metric)
          say(
            `${row.id} ${round + 1}/${repeat} ${label}: ${metric.value(sample).toPrecision(4)} ${metric.unit}`,
          )
      } catch (error) {
        result.failure = error instanceof Error ? error.message : String(error)
        say(`${row.id} ${round + 1}/${repeat} ${label}: FAILED, ${result.failure}`)
      }
    }
  }
  return results
}

function doRow(row: Row, server: Server, ground: Ground, { sizes, wrk }: Plan): Promise<Sample> {
  const measure = (job: Job, bytes: number): Promise<Sample> => measureJob(server, job, bytes, wrk)
  return row.run({ server, ground, sizes, measure })
}

function referenceOf({ reference }: Row, { sizes, folder }: Plan): Contestant[] {
  return reference ? [{ label: reference.label, seeded: null, turn: () => reference.run(sizes, folder) }] : []
}

/** Those that have what a row needs. */
function able<T extends { found: FoundPeer }>(row: Row, candidates: readonly T[]): T[] {
  return candidates.filter(({ found }) => !found.peer.lacks.includes(row.needs ?? 'registry'))
}

/** A registry, and how it is filled before it is started. */
interface Candidate {
  found: FoundPeer
  seeding: { fill: Seeding; words: string } | null
}

/** Those that take a turn in one of the rows at least. */
function candidatesOf(suite: Suite, rows: readonly Row[], plan: Plan): Candidate[] {
  const { sizes } = plan
  const found = plan.found.filter((one) => rows.some((row) => able(row, [{ found: one }]).length > 0))
  if (!suite.seed) return found.map((one) => ({ found: one, seeding: null }))
  return found.flatMap((one) => {
    const seeding = suite.seed?.(one, sizes) ?? null
    return seeding === null ? [] : [{ found: one, seeding }]
  })
}

async function start({ found, seeding }: Candidate, { folder, say }: Plan): Promise<Server> {
  if (seeding === null) return await Server.start(found, folder)
  const begin = performance.now()
  return await Server.start(found, folder, async (site) => {
    await seeding.fill(site)
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    say(`${found.peer.label} was seeded in ${seconds} s: ${seeding.words}`)
  })
}

/** Every turn starts a registry on an empty folder, or a seeded one, and deletes it afterwards. */
async function runFresh(suite: Suite, rows: readonly Row[], plan: Plan): Promise<Result[]> {
  const results: Result[] = []
  for (const row of rows) {
    const contestants = able(row, candidatesOf(suite, rows, plan)).map((candidate): Contestant => ({
      label: candidate.found.peer.label,
      seeded: candidate.seeding?.words ?? null,
      async turn() {
        await using server = await start(candidate, plan)
        const ground = await suite.prepare(server, plan.sizes)
        await plan.settle()
        return await doRow(row, server, ground, plan)
      },
    }))
    results.push(...(await runRow(row, [...contestants, ...referenceOf(row, plan)], plan)))
  }
  return results
}

interface Prepared extends Candidate {
  server: Server
  ground: Ground
}

async function prepareAll(
  suite: Suite,
  rows: readonly Row[],
  plan: Plan,
  servers: AsyncDisposableStack,
): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  for (const candidate of candidatesOf(suite, rows, plan)) {
    const { label } = candidate.found.peer
    try {
      plan.say(`filling ${label}`)
      const server = servers.use(await start(candidate, plan))
      prepared.push({ ...candidate, server, ground: await suite.prepare(server, plan.sizes) })
    } catch (error) {
      plan.say(`${label} cannot be filled: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return prepared
}

/** All registries stay up; those whose turn it is not have nothing to do. */
async function runShared(suite: Suite, rows: readonly Row[], plan: Plan): Promise<Result[]> {
  await using servers = new AsyncDisposableStack()
  const prepared = await prepareAll(suite, rows, plan, servers)
  const results: Result[] = []
  for (const row of rows) {
    const contestants = able(row, prepared).map(({ found, seeding, server, ground }): Contestant => {
      let cold = row.warmUp === true && plan.sizes.warmUpSeconds > 0
      return {
        label: found.peer.label,
        seeded: seeding?.words ?? null,
        async turn() {
          const warmUp = { ...plan, sizes: { ...plan.sizes, seconds: plan.sizes.warmUpSeconds } }
          if (cold) await doRow(row, server, ground, warmUp)
          cold = false
          return await doRow(row, server, ground, plan)
        },
      }
    })
    results.push(...(await runRow(row, [...contestants, ...referenceOf(row, plan)], plan)))
  }
  return results
}

/** Without rows whose program is missing. */
async function possible(rows: readonly Row[], { say }: Plan): Promise<Row[]> {
  const found: Row[] = []
  for (const row of rows) {
    const beside = await row.beside?.find()
    if (beside && 'missing' in beside) say(`${row.id} is left out: ${beside.missing}`)
    else found.push(row)
  }
  return found
}

/** Runs the wanted rows of a suite, peers taking turns. */
export async function runSuite(suite: Suite, wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const rows = await possible(
    suite.rows.filter(({ id }) => wanted.has(id)),
    plan,
  )
  if (rows.length === 0) return []
  return await (suite.servers === 'shared' ? runShared : runFresh)(suite, rows, plan)
}
