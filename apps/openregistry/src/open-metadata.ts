import { readFile } from 'node:fs/promises'
import type { MetadataStore } from '@openregistry/core'
import {
  openPostgresMetadataStore,
  openSqliteMetadataStore,
  type PostgresSettings,
  type PostgresStore,
  type SqliteStore,
} from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { makeDataFolder } from './make-data-folder.ts'

/** How a database is opened. */
interface OpenMetadataOptions {
  serving: boolean
  autoMigrate?: boolean
  applicationName?: string
}

/**
 * Opens the database that the configuration names.
 * @param how `serving` keeps a second server off a SQLite file, which PostgreSQL does not need; `autoMigrate` replaces
 * `db.auto_migrate`; `applicationName` is what PostgreSQL sees.
 * @throws RegistryError `METADATA_UNAVAILABLE` whose message says what to do; an error of the system when the folder cannot
 * be made.
 */
export async function openMetadata(
  config: Config,
  { serving, autoMigrate = config.db.auto_migrate, applicationName }: OpenMetadataOptions,
): Promise<MetadataStore & Partial<Pick<PostgresStore, 'pool'> & Pick<SqliteStore, 'kept'>>> {
  if (config.db.kind === 'postgres') {
    const name = applicationName === undefined ? {} : { applicationName }
    return openPostgresMetadataStore({ ...(await postgresSettings(config)), ...name, autoMigrate })
  }
  if (serving) await makeDataFolder(config.data_dir)
  return openSqliteMetadataStore({ file: databaseFile(config.data_dir), autoMigrate, exclusive: serving })
}

/**
 * How PostgreSQL is reached.
 * @throws an error of the system when the file of `db.tls_ca` cannot be read.
 */
export async function postgresSettings({ db }: Config): Promise<PostgresSettings> {
  return {
    host: db.host ?? '',
    port: db.port,
    user: db.user,
    password: db.password,
    database: db.name,
    poolSize: db.pool_size,
    tls: await tlsOf(db),
    statementTimeout: db.statement_timeout,
    lockTimeout: db.lock_timeout,
  }
}

async function tlsOf({ tls, tls_ca: authority }: Config['db']): Promise<PostgresSettings['tls']> {
  if (tls === 'off') return null
  if (tls === 'unverified') return { rejectUnauthorized: false }
  return {
    rejectUnauthorized: true,
    ...(authority === null ? {} : { ca: await readFile(authority, 'utf8') }),
  }
}
