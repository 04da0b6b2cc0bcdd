import { mkdir } from 'node:fs/promises'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { printJson, say } from './terminal/print.ts'

/** `openregistry migrate`: brings the schema up to date, creating the database if there is none. */
export async function migrate(config: Config, { json }: { json?: boolean }): Promise<void> {
  const { migrateSqlite } = await import('@openregistry/metadata')
  const file = databaseFile(config.data_dir)
  await mkdir(config.data_dir, { recursive: true })
  const { from, to } = await migrateSqlite(file)
  if (json) return printJson({ database: file, from, to })
  if (from === to) say(`${file} has the newest schema (version ${to}).`)
  else say(`${file}: schema ${from === 0 ? 'created' : `brought from version ${from}`} to version ${to}.`)
}
