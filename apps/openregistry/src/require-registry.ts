import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from './data-files.ts'
import { CommandError } from './exit-codes.ts'

/**
 * Commands on the data never make a database by looking for one.
 * @throws CommandError when SQLite is configured and its file is not there.
 */
export async function requireRegistry({ data_dir: data, db }: Config): Promise<void> {
  if (db.kind !== 'sqlite') return
  const file = databaseFile(data)
  const there = await stat(file).catch(() => null)
  if (there !== null) return
  throw new CommandError(
    `there is no registry in ${dirname(file)}: ${file} is missing. Name its folder with OPEN_REGISTRY_DATA_DIR or --config.`,
  )
}
