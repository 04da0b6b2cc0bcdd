import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom, type PostgresCluster, type Random } from '@openregistry/testkit'
import { checkStoredState } from './checks/stored-state.ts'
import { verify } from './checks/verify.ts'
import { Caller } from './clients/caller.ts'
import { Client, type World } from './clients/client.ts'
import { contentPool } from './clients/contents.ts'
import { work } from './clients/work.ts'
import { FaultTimes } from './fault-times.ts'
import type { Fault } from './faults/index.ts'
import { collectAllTheTime, housekeep, letTimePass } from './housekeeping.ts'
import { Model } from './model/model.ts'
import type { Promises } from './model/repository-model.ts'
import { Progress } from './progress.ts'
import { Report, type Counts } from './report.ts'
import { Deployment, type Shape } from './under-test/deployment.ts'

/** One run of the harness. */
export interface SeedOptions {
  /** Decides contents, what clients do, and which faults come when. */
  seed: number
  shape: Shape
  /** For the shapes on PostgreSQL. */
  cluster: PostgresCluster | null
  faults: readonly Fault[]
  /** The run goes on until there were at least so many of each. */
  least: { faults: number; acknowledged: number }
  /** Clients at the same time, and how many things each does in a round. */
  clients: number
  operations: number
  /** How many things go wrong in a round, one after the other. Default 2. */
  faultsPerRound?: number
  /** Make the promises short, whatever the seed says. */
  short?: boolean
  /** Leave log and data there, whatever came out. */
  keep?: boolean
  /** Called after each round. */
  onRound?: (counts: Counts) => void
}

/** What came out. */
export interface SeedResult {
  seed: number
  shape: Shape
  counts: Counts
  faultKinds: Record<string, number>
  rounds: number
  milliseconds: number
  /** The most memory that one process had, in bytes. */
  peakMemory: number
  /** What must not be. Empty when all is well. */
  violations: string[]
  /** Where log and data are; null when they were taken away, since all is well. */
  folder: string | null
}

/** Memory that one process may have, in bytes: far above what these small pushes need, far below a leak. */
const memoryLimit = 600 * 1024 * 1024

const hour = 3600_000
const day = 24 * hour

/** Promises as they are in life, and in every third run short ones, so that collection takes what it may. */
function promisesOf(random: Random, short: boolean): Promises {
  if (random.integer(1, 3) > 1 && !short) return { lease: day, grace: 7 * day }
  return { lease: random.pick([1000, 2000, 4000]), grace: random.pick([0, 0, 1000]) }
}

function envOf({ lease, grace }: Promises, { shape, seed }: SeedOptions): Record<string, string> {
  const isPrivate = shape === 'stack' && randomFrom(`visibility ${seed}`).integer(0, 1) === 1
  return {
    OPEN_REGISTRY_GC_LEASE: `${lease}ms`,
    OPEN_REGISTRY_GC_GRACE: `${grace}ms`,
    ...(isPrivate
      ? { OPEN_REGISTRY_DFS_IPFS_PUBLIC: 'false', OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private' }
      : {}),
  }
}

/** Whether what nobody needs is soon to be taken, so that it is worth while to collect all the time. */
function areShort({ lease }: Promises): boolean {
  return lease < hour
}

/** Names of one namespace, and one of another. */
const repositories = ['faults/a', 'faults/b', 'faults/deep/er', 'other/c']

/**
 * Lets clients work while things go wrong, and compares all that they see with a model of what must be true. After every
 * round everything is read back; at the end the stored state itself is looked at.
 */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const started = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-faults-'))
  const report = new Report(join(folder, 'harness.log'))
  const random = randomFrom(`faults ${options.seed}`)
  const promises = promisesOf(random, options.short === true)
  const { shape, cluster } = options
  const picked = random.pick([[], [day, -day], [-300_000, 0, 300_000]])
  // A bucket refuses requests that come from another day; the client learns its time, but not while it is away.
  const skews = shape === 's3' ? picked.filter((skew) => Math.abs(skew) < day) : picked
  const deployment = await Deployment.open({
    shape,
    cluster,
    folder,
    report,
    env: envOf(promises, options),
    skews,
  })
  const interrupted = tidyUpOnSignals(() => keepOrRemove(deployment, folder, false))
  let rounds = 0
  try {
    await deployment.start()
    const faultTimes = new FaultTimes()
    const world: World = {
      model: new Model(repositories, promises),
      caller: new Caller(deployment, faultTimes, report),
      report,
      faultTimes,
      blobs: await contentPool(random),
    }
    while (isUnfinished(options, report)) {
      rounds++
      const ofRound = randomFrom(`faults ${options.seed} round ${rounds}`)
      await round(options, world, deployment, ofRound, areShort(promises))
      options.onRound?.(report.counts)
    }
    if (!report.failed) await finalChecks(world, deployment, random, options.shape)
  } catch (error) {
    if (!report.failed)
      report.violation(`the harness gave up: ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    interrupted[Symbol.dispose]()
    await keepOrRemove(deployment, folder, report.failed || options.keep === true)
  }
  return {
    seed: options.seed,
    shape: options.shape,
    counts: report.counts,
    faultKinds: Object.fromEntries(report.faultKinds),
    rounds,
    milliseconds: Math.round(performance.now() - started),
    peakMemory: Math.max(...deployment.replicas.map(({ peakMemory }) => peakMemory)),
    violations: report.violations,
    folder: report.failed || options.keep === true ? folder : null,
  }
}

function isUnfinished({ least }: SeedOptions, { counts, failed }: Report): boolean {
  return !failed && (counts.faults < least.faults || counts.acknowledged < least.acknowledged)
}

/** Clients work, things go wrong meanwhile, and then everything is compared. */
async function round(
  options: SeedOptions,
  world: World,
  deployment: Deployment,
  random: Random,
  isShort: boolean,
): Promise<void> {
  const progress = new Progress(options.clients * options.operations)
  const { report, faultTimes } = world
  const stage = { deployment, random, report, faultTimes, progress }
  const clients = Array.from({ length: options.clients }, (_, index) => {
    const client = new Client(world, randomFrom(`${random.word(16)} client ${index}`))
    return work(client, options.operations, () => progress.step())
  })
  const done = allOf(clients).finally(() => progress.finish())
  const possible = options.faults.filter(
    ({ shapes, isPossible }) => shapes.includes(options.shape) && (isPossible?.(deployment) ?? true),
  )
  const [first, ...others] = possible
  if (first === undefined) throw new Error('No fault is possible here.')
  const chosen = Array.from({ length: options.faultsPerRound ?? 2 }, () => random.pick([first, ...others]))
  const happen = async (): Promise<void> => {
    for (const fault of chosen) {
      await fault.run(stage).catch((error: unknown) => {
        report.violation(`after "${fault.name}" it does not run again: ${String(error)}`)
      })
    }
  }
  const collectors = isShort ? [collectAllTheTime({ ...stage, random: randomFrom(random.word(16)) })] : []
  await allOf([done, happen(), housekeep(stage, chosen), ...collectors])
  if (report.failed) return
  await verify(new Client(world, randomFrom(`${random.word(16)} verify`), { alone: true }), deployment)
}

/** Waits for all of them, whatever becomes of one: nothing may still be under way when the run is taken down. */
async function allOf(parts: readonly Promise<void>[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason
}

/** Time passes, housekeeping does all that it has to, and everything acknowledged is still there. */
async function finalChecks(
  world: World,
  deployment: Deployment,
  random: Random,
  shape: Shape,
): Promise<void> {
  const { report } = world
  await letTimePass(deployment, report)
  await verify(new Client(world, random, { alone: true }), deployment)
  await deployment.stop()
  for (const text of await checkStoredState(deployment)) report.violation(text)
  for (const { name, peakMemory } of deployment.replicas)
    if (peakMemory > memoryLimit * (shape === 'supervisor' ? 2 : 1))
      report.violation(`${name} took ${Math.round(peakMemory / 2 ** 20)} MiB of memory`)
}

/** Volumes would stay mounted when somebody has seen enough. */
function tidyUpOnSignals(tidyUp: () => Promise<void>): Disposable {
  const onSignal = (): void => void tidyUp().finally(() => process.exit(130))
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { [Symbol.dispose]: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}

/** What went wrong stays, for whoever looks into it. */
async function keepOrRemove(deployment: Deployment, folder: string, keep: boolean): Promise<void> {
  if (keep) await deployment.keep(`${folder}/kept`)
  await deployment[Symbol.asyncDispose]()
  if (!keep) await rm(folder, { recursive: true, force: true })
}
