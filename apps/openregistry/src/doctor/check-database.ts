import { stat } from 'node:fs/promises'
import { RegistryError } from '@openregistry/oci'
import type { ServerFacts, UnsafeSetting } from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { postgresSettings } from '../open-metadata.ts'
import { formatBytes } from '../terminal/amounts.ts'
import { workerCount } from '../worker-count.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** The database, if there is one: whether it opens, and what waits in it. */
export function checkDatabase(config: Config): Promise<Finding[]> {
  return config.db.kind === 'postgres' ? checkServer(config) : checkFile(config)
}

async function checkFile({ data_dir: data, db }: Config): Promise<Finding[]> {
  const file = databaseFile(data)
  const facts = await stat(file).catch(() => null)
  if (facts === null) return [ok('database', `${file} will be created`)]
  const { openSqliteMetadataStore } = await import('@openregistry/metadata')
  try {
    await using store = await openSqliteMetadataStore({ file, autoMigrate: false })
    const { schemaVersion, openUploads, pendingDeletes } = await store.figures()
    const queues = `${openUploads} open uploads, ${pendingDeletes} objects to delete`
    return [ok('database', `${formatBytes(facts.size)}, schema ${schemaVersion}, ${queues}`)]
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (db.auto_migrate && (error.detail as { part?: string } | undefined)?.part === 'schema') {
      return [warning('database', error.message, 'The next "openregistry serve" does it.')]
    }
    return [failed('database', error.message, 'Do what it says, or restore a backup.')]
  }
}

/** What a clock of the server and ours may differ by before log entries mislead, in milliseconds. */
const tolerance = 60_000

async function checkServer(config: Config): Promise<Finding[]> {
  const { describePlace, examinePostgres } = await import('@openregistry/metadata')
  const settings = await postgresSettings(config)
  try {
    const facts = await examinePostgres(settings)
    const schema = facts.schemaVersion === 0 ? 'its schema will be created' : `schema ${facts.schemaVersion}`
    const found = `${describePlace(settings)}: PostgreSQL ${facts.version}, ${schema}`
    return [ok('database', found), ...checkSafety(facts), ...checkRoom(config, facts), ...checkTime(facts)]
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    return [failed('database', error.message, 'Do what it says.')]
  }
}

/** What an answer with success is worth while a setting of the server is off. */
const losses: Readonly<Record<UnsafeSetting, string>> = {
  fsync: 'when its machine loses power, the whole database may be damaged',
  full_page_writes: 'when its machine loses power, rows that were only half written stay damaged',
  synchronous_commit: 'when it crashes, the last pushes that were answered with 201 are gone',
}

function checkSafety({ unsafe }: ServerFacts): Finding[] {
  return unsafe.map((name) =>
    warning(
      'database',
      `${name} is off: ${losses[name]}`,
      `Turn ${name} on, as every server has it by default.`,
    ),
  )
}

function checkRoom(config: Config, { maxConnections }: ServerFacts): Finding[] {
  const { pool_size: each } = config.db
  // And the one of the background.
  const processes = workerCount(config) + 1
  if (processes * each <= maxConnections) return []
  const message =
    `the ${processes} processes of this machine may open ${each} connections each, ${processes * each} in all, and the ` +
    `server takes ${maxConnections} from all machines together`
  const advice = 'Lower db.pool_size or http.workers, or raise max_connections of the server.'
  return [warning('database', message, advice)]
}

function checkTime({ time }: ServerFacts): Finding[] {
  const apart = Math.abs(time - Date.now())
  if (apart <= tolerance) return []
  const message = `its clock and this one are ${Math.round(apart / 1000)} s apart`
  return [
    warning('database', message, 'Leases and expiry go by the clock of the database; logs by this one.'),
  ]
}
