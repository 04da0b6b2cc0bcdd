import { stat } from 'node:fs/promises'
import { RegistryError } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { formatBytes } from '../terminal/amounts.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** The database, if there is one: whether it opens, and what waits in it. */
export async function checkDatabase({ data_dir: data, db }: Config): Promise<Finding[]> {
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
    if (db.auto_migrate && /migrate/.test(error.message)) {
      return [warning('database', error.message, 'The next "openregistry serve" does it.')]
    }
    return [failed('database', error.message, 'Do what it says, or restore a backup.')]
  }
}
