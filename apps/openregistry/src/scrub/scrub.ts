import {
  compareListings,
  Pace,
  pause,
  repair,
  verifyStored,
  type Milliseconds,
  type Ports,
  type ScrubTotals,
  type Verified,
} from '@openregistry/core'
import type { NamedSource } from '@openregistry/ipfs'
import { parseRepositoryName, type RepositoryName } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { openDataPorts } from '../open-ports.ts'
import { openSources } from '../open-sources.ts'
import { stopSignals } from '../serve/stop-signals.ts'
import { say } from '../terminal/print.ts'
import { knownDamage } from './known-damage.ts'
import { ScrubProgress } from './progress.ts'
import { reportScrub, type ScrubSummary } from './report.ts'

/** What the command line says. */
export interface ScrubCommand {
  /** Bytes a second; 0: no bound; undefined: what the configuration says. */
  rate?: number
  all?: boolean
  olderThan?: Milliseconds
  repository?: string
  deleteSurplus?: boolean
  acceptMissing?: boolean
  /** Mends what is damaged. */
  repair?: boolean
  /** Addresses of trustless gateways and peers that may have what no place here has; repairs, too. */
  from?: readonly string[]
  json?: boolean
}

/** A pass that was stopped is gone on with for so long; afterwards most of it would be old again. */
const resumable: Milliseconds = 7 * 24 * 3600_000

/** How often it is asked whether the other processes at work are done. */
const patience = 500

/** What one call of the command is to look at. */
interface Scope {
  /** Only what was verified before. */
  before: Milliseconds
  repository: RepositoryName | null
  /** The start of the pass over everything that this is a part of. */
  pass: Milliseconds | null
  resumed: boolean
}

/**
 * `openregistry scrub`: reads stored content again, beside servers if need be, and says what is damaged.
 * @throws CommandError when something is, or it was stopped; RegistryError.
 */
export async function scrub(config: Config, command: ScrubCommand): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const sources = await openSources(command.from ?? [], config, opened)
  const ports = await openDataPorts(config, opened)
  using signals = stopSignals()
  const stopping = new AbortController()
  void signals.first.then(() => stopping.abort())
  signals.onSecond(() => process.exit(1))
  const scope = await scopeOf(ports, command)
  const totals = await totalsOf(ports, scope)
  if (scope.resumed && command.json !== true) say('Going on with the pass that was stopped.')
  const progress = new ScrubProgress(totals, process.stderr)
  const rate = command.rate ?? config.scrub.rate
  const summary = emptySummary(scope, ports.settings.uploadLifetime)
  try {
    await work(
      ports,
      {
        scope,
        rate,
        confirmed: command.deleteSurplus === true,
        acceptMissing: command.acceptMissing === true,
        progress,
        summary,
      },
      stopping.signal,
    )
    if (command.repair === true || command.from !== undefined)
      await mend(ports, { sources, scope, progress, summary }, stopping.signal)
    summary.complete = true
    if (scope.pass !== null) await ports.metadata.endScrubPass(scope.pass)
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  } finally {
    progress.end()
  }
  if (summary.objects === 0) {
    summary.empty = (await ports.metadata.scrubTotals(Number.MAX_SAFE_INTEGER)).objects === 0
  }
  await knownDamage(ports.metadata, summary)
  reportScrub(summary, command.json === true)
}

async function scopeOf({ metadata }: Ports, command: ScrubCommand): Promise<Scope> {
  const repository = command.repository === undefined ? null : parseRepositoryName(command.repository)
  if (repository !== null || command.olderThan !== undefined) {
    const before = (await metadata.databaseTime()) - (command.olderThan ?? 0)
    return { before, repository, pass: null, resumed: false }
  }
  const anew = command.all === true
  const { startedAt, resumed } = await metadata.beginScrubPass({ anew, within: resumable })
  return { before: startedAt, repository, pass: startedAt, resumed }
}

/** Of one repository it would be a walk of its own, so nothing is said of how much is left. */
async function totalsOf({ metadata }: Ports, { before, repository }: Scope): Promise<ScrubTotals | null> {
  return repository === null ? metadata.scrubTotals(before) : null
}

interface ScrubWork {
  scope: Scope
  rate: number
  confirmed: boolean
  acceptMissing: boolean
  progress: ScrubProgress
  summary: ScrubSummary
}

async function work(ports: Ports, work: ScrubWork, signal: AbortSignal): Promise<void> {
  const { scope, rate, confirmed, acceptMissing, progress, summary } = work
  const observer = {
    read: (bytes: number) => {
      summary.bytes += bytes
      progress.read(bytes)
    },
    verified: () => {
      summary.objects++
      progress.verified()
    },
    damage: (damage: ScrubSummary['found'][number]) => void summary.found.push(damage),
  }
  const { before, repository } = scope
  if (repository === null) {
    const age = ports.settings.uploadLifetime
    const lists = await compareListings(
      ports,
      { listedBefore: before, age, confirmed, acceptMissing, most: null, observer },
      signal,
    )
    const { listed, surplus, deleted, withheld, unlisted } = lists
    Object.assign(summary, { listed, surplus, deleted, withheld, unlisted })
  }
  const pace = new Pace(rate)
  for (;;) {
    const options = { verifiedBefore: before, pace, repository, acceptMissing, most: null, observer }
    const { recovered, mended }: Verified = await verifyStored(ports, options, signal)
    summary.recovered += recovered
    summary.mended += mended
    // What others have claimed is theirs, unless they die: a pass is over when they are done, too.
    if (repository !== null || !(await ports.metadata.hasClaims(before))) return
    await pause(patience, signal)
  }
}

/** Mends what is known to be damaged, whoever has found it. */
async function mend(
  ports: Ports,
  {
    sources,
    scope,
    progress,
    summary,
  }: Pick<ScrubWork, 'scope' | 'progress' | 'summary'> & { sources: NamedSource[] },
  signal: AbortSignal,
): Promise<void> {
  const onBytes = (bytes: number): void => progress.read(bytes)
  const { repaired, remaining } = await repair(ports, {
    ...{ sources, repository: scope.repository, onBytes, signal },
  })
  summary.repaired = repaired
  summary.remaining = remaining
}

function emptySummary({ repository, resumed }: Scope, surplusAge: Milliseconds): ScrubSummary {
  return {
    complete: false,
    resumed,
    repository,
    objects: 0,
    bytes: 0,
    found: [],
    damaged: [],
    moreDamaged: false,
    recovered: 0,
    mended: 0,
    repaired: null,
    remaining: [],
    empty: false,
    listed: 0,
    surplus: 0,
    deleted: 0,
    withheld: 0,
    unlisted: [],
    surplusAge,
  }
}
