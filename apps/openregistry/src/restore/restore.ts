import { authorizationOf } from '@openregistry/blobs'
import { WrongBackend, type Ports } from '@openregistry/core'
import {
  kuboSource,
  restoreSnapshot,
  type NamedSource,
  type RestoreReport,
  type Snapshot,
} from '@openregistry/ipfs'
import { isServed, restoringName } from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { findKeysFile } from '@openregistry/server/keys'
import { silentLogger } from '@openregistry/server/log'
import { createMetrics } from '@openregistry/server/metrics'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { makeDataFolder } from '../make-data-folder.ts'
import { postgresSettings } from '../open-metadata.ts'
import { openPorts } from '../open-ports.ts'
import { openSources } from '../open-sources.ts'
import { stopSignals } from '../serve/stop-signals.ts'
import { say } from '../terminal/print.ts'
import { chooseSnapshot, explained } from './choose-snapshot.ts'
import { parseSnapshotAddress } from './find-snapshot.ts'
import { reportRestore, showProgress } from './report.ts'
import { describeRestore, restoreAdvice } from './require-restored.ts'

/** Options of `restore`. */
export interface RestoreCommandOptions {
  key?: string
  from: string[]
  kubo: string[]
  acceptMissing?: boolean
  json?: boolean
}

/**
 * `openregistry restore`: rebuilds a registry. Whoever signed the snapshot is looked at before anything is made, and whatever
 * comes from anybody is compared with its hash.
 * @throws CommandError, RegistryError.
 */
export async function restore(
  config: Config,
  texts: readonly string[],
  options: RestoreCommandOptions,
): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const addresses = await Promise.all(texts.map(parseSnapshotAddress))
  const keys = await findKeysFile(config.keys.file, silentLogger)
  const remote = await openRemote(config, options, opened)
  const signal = stopSignal(opened)
  const snapshot = await chooseSnapshot(addresses, { keys, remote, named: options.key, signal, opened })
  if (keys === null)
    say(`There is no keys file at ${config.keys.file}: names in IPNS will be others than before.`)
  const ports = await openEmpty(config, opened)
  const begun = await ports.metadata.beginRestore(snapshot.root)
  if (begun === 'occupied') throw await occupied(config, ports)
  // One that began a moment ago has not seen this restore, but is seen now.
  await requireUnused(config)
  if (begun === 'resumed') say('Going on with a restore that was interrupted.')
  const result = await run(ports, snapshot, options, signal)
  const isEnded = result.missing === 0 || options.acceptMissing === true
  if (isEnded) await ports.metadata.endRestore(snapshot.root)
  reportRestore(snapshot, result, { json: options.json === true, isEnded })
}

async function run(
  ports: Ports,
  snapshot: Snapshot,
  { json }: RestoreCommandOptions,
  signal: AbortSignal,
): Promise<RestoreReport> {
  try {
    const onRepository = showProgress(snapshot.repositoryCount)
    return await restoreSnapshot(ports, snapshot, { signal, ...(json === true ? {} : { onRepository }) })
  } catch (error) {
    if (signal.aborted)
      throw new CommandError('stopped; the same command goes on where it was.', { cause: error })
    throw explained(error)
  }
}

/** Whoever may have what is missing, in the order in which they are asked. */
async function openRemote(
  config: Config,
  { from, kubo }: RestoreCommandOptions,
  opened: AsyncDisposableStack,
): Promise<NamedSource[]> {
  const { ipfs } = config.dfs
  for (const address of kubo) {
    if (/^https?:\/\//.test(address) && URL.canParse(address)) continue
    throw new CommandError(`${address} is no address; write it like http://127.0.0.1:5001.`, {
      exitCode: exitCodes.usage,
    })
  }
  const token = authorizationOf(ipfs.api_token)
  const own = ipfs.api_url === null || kubo.includes(ipfs.api_url) ? [] : [ipfs.api_url]
  return [
    ...[...kubo, ...own].map((address) => kuboSource(address, address === ipfs.api_url ? token : null)),
    ...(await openSources(from, config, opened)),
  ]
}

/** Opens database and backends as a server does, so that no other one can at the same time. */
async function openEmpty(config: Config, opened: AsyncDisposableStack): Promise<Ports> {
  if (config.db.kind === 'sqlite') await makeDataFolder(config.data_dir)
  await requireUnused(config)
  try {
    return await openPorts(config, createMetrics(), {}, opened, restoringName)
  } catch (error) {
    throw error instanceof WrongBackend ? foreign(error) : error
  }
}

/** Only whoever operates it knows whether the registry that a backend belonged to is gone. */
function foreign(cause: WrongBackend): CommandError {
  return new CommandError(
    `${cause.message}\nA restore uses none of the objects that are there: it fetches each blob anew, and writes it beside them. If the ` +
      `registry that they belonged to is lost, "openregistry adopt --backend ${cause.backend}" and the same command again; else ` +
      'name a place that nobody uses.',
    { cause },
  )
}

/**
 * PostgreSQL lets many in: a server that uses the database would take pushes for names that are still to come. SQLite has a lock.
 * @throws CommandError
 */
async function requireUnused(config: Config): Promise<void> {
  if (config.db.kind !== 'postgres' || !(await isServed(await postgresSettings(config)))) return
  throw new CommandError(
    `a server, or a command beside it, uses the database "${config.db.name}". Stop all of them on every machine, then give the same command again.`,
  )
}

async function occupied({ db, data_dir: data }: Config, { metadata }: Ports): Promise<CommandError> {
  const where = db.kind === 'sqlite' ? data : `the database "${db.name}"`
  const other = await metadata.findUnfinishedRestore()
  const message =
    other === null
      ? `there is a registry in ${where}. A restore needs an empty database: name another one, and leave this one as it is.`
      : `in ${where}, ${describeRestore(other)}. ${restoreAdvice(other)} Or name an empty database.`
  return new CommandError(message, { exitCode: exitCodes.usage })
}

/** Aborts at the first signal of the system. */
function stopSignal(opened: AsyncDisposableStack): AbortSignal {
  const controller = new AbortController()
  const signals = opened.use(stopSignals())
  void signals.first.then(() => controller.abort())
  return controller.signal
}
