import { stat } from 'node:fs/promises'
import type { CopyProgress, PostgresSettings } from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { postgresSettings } from './open-metadata.ts'
import { formatCount } from './terminal/amounts.ts'
import { printJson, say } from './terminal/print.ts'

/**
 * `openregistry migrate --to`: moves the metadata of the embedded registry into PostgreSQL. Blobs stay where they are.
 * @throws CommandError when the address is none, or there is nothing to copy.
 */
export async function migrateTo(
  config: Config,
  to: string,
  { json = false }: { json?: boolean },
): Promise<void> {
  if (config.db.kind !== 'sqlite') {
    throw new CommandError(
      'the configuration names PostgreSQL already; --to copies from SQLite. Leave db.host out.',
      {
        exitCode: exitCodes.usage,
      },
    )
  }
  const settings = await settingsOf(config, to)
  const file = databaseFile(config.data_dir)
  if ((await stat(file).catch(() => null)) === null) {
    throw new CommandError(`there is no registry in ${config.data_dir}: ${file} is missing.`)
  }
  const { copyToPostgres, describePlace, migrateSqlite, readMove } = await import('@openregistry/metadata')
  const database = describePlace(settings)
  // After its mark, the last thing before the end, a copy that was interrupted goes on.
  if (config.db.auto_migrate && readMove(file) !== database) await migrateSqlite(file)
  const tables = await copyToPostgres(file, settings, { onProgress: json ? () => undefined : progressOn() })
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  if (json) return printJson({ database, rows, blobs: config.dfs.disk.path, tables })
  say(
    `${database}: ${formatCount(rows, 'row')} in ${formatCount(tables.length, 'table')}, compared with the original.`,
  )
  const { disk, default: backend } = config.dfs
  say(`Blobs were not touched: they stay in ${disk.path}, where every server has to find them.`)
  if (backend !== 'disk') {
    say(`New ones go to ${backend}. With PostgreSQL that folder counts only where dfs.disk.path names it.`)
  }
  say(`${file} is marked as moved: no server and no command uses it any more. To serve from PostgreSQL:`)
  say(`  OPEN_REGISTRY_DB_HOST=${settings.host} ${otherVariables(settings)}openregistry serve`)
}

/** `postgres://user:password@host:port/database`; what it leaves out comes from the keys below `db`. */
async function settingsOf(config: Config, to: string): Promise<PostgresSettings> {
  const url = URL.canParse(to) ? new URL(to) : null
  const usage = (message: string) => new CommandError(message, { exitCode: exitCodes.usage })
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol) || url.hostname === '')
    throw usage('--to takes an address such as postgres://openregistry@db.example/openregistry')
  if (url.search !== '' || url.hash !== '')
    throw usage('--to takes no parameters; TLS and time limits come from db.tls and the keys beside it')
  const { db } = config
  const [, database = '', more] = url.pathname.split('/').map(decodeURIComponent)
  if (more !== undefined) throw usage('--to takes one database after the host')
  return postgresSettings({
    ...config,
    db: {
      ...db,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? db.port : Number(url.port),
      user: decodeURIComponent(url.username) || db.user,
      password: decodeURIComponent(url.password) || db.password,
      name: database || db.name,
    },
  })
}

function otherVariables({ port, user, database }: PostgresSettings): string {
  const given = [
    port === 5432 ? '' : `OPEN_REGISTRY_DB_PORT=${port} `,
    user === 'openregistry' ? '' : `OPEN_REGISTRY_DB_USER=${user} `,
    database === 'openregistry' ? '' : `OPEN_REGISTRY_DB_NAME=${database} `,
  ]
  return given.join('')
}

/** Shows how far it is: on a terminal in one line that changes, elsewhere one line for each table that has rows. */
function progressOn(): (progress: CopyProgress) => void {
  const terminal = process.stderr.isTTY
  return ({ phase, table, rows, total }) => {
    const text = `${phase === 'copy' ? 'copying' : 'comparing'} ${table}: ${rows} of ${total}`
    if (terminal) process.stderr.write(`\r\x1b[K${text}${rows === total ? '\r\x1b[K' : ''}`)
    else if (rows === total && total > 0) say(text)
  }
}
