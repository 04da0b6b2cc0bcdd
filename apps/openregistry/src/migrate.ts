import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { makeDataFolder } from './make-data-folder.ts'
import { postgresSettings } from './open-metadata.ts'
import { printJson, say } from './terminal/print.ts'

/** What was done to a schema. */
interface Migrated {
  /** Where the database is. */
  database: string
  /** 0: there was none. */
  from: number
  to: number
}

/** `openregistry migrate`: brings the schema up to date, creating the database file if there is none. */
export async function migrate(config: Config, { json }: { json?: boolean }): Promise<void> {
  const done = config.db.kind === 'postgres' ? await migrateServer(config) : await migrateFile(config)
  if (json) return printJson(done)
  const { database, from, to } = done
  if (from === to) say(`${database} has the newest schema (version ${to}).`)
  else say(`${database}: schema ${from === 0 ? 'created' : `brought from version ${from}`} to version ${to}.`)
}

async function migrateFile(config: Config): Promise<Migrated> {
  const { migrateSqlite } = await import('@openregistry/metadata')
  const file = databaseFile(config.data_dir)
  await makeDataFolder(config.data_dir)
  return { database: file, ...(await migrateSqlite(file)) }
}

async function migrateServer(config: Config): Promise<Migrated> {
  const { describePlace, migratePostgres } = await import('@openregistry/metadata')
  const settings = await postgresSettings(config)
  return { database: describePlace(settings), ...(await migratePostgres(settings)) }
}
