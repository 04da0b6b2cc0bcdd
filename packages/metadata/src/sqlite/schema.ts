import type { DatabaseSync } from 'node:sqlite'
import { RegistryError } from '@openregistry/oci'
import { migrations, type SchemaWords } from '../../migrations/index.ts'

/** Written into the file's header, so that a database of another program is never touched: `OREG` in ASCII. */
const applicationId = 0x4f524547

/** The newest schema that this program knows. */
export const schemaVersion: number = migrations.at(-1)?.version ?? 0

const words: SchemaWords = {
  text: 'TEXT',
  bytes: 'BLOB',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  identity: 'INTEGER PRIMARY KEY',
  identityOnce: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  table: ' STRICT',
  indexTable: ' STRICT, WITHOUT ROWID',
}

/**
 * The version of a database's schema; 0 for an empty file. Changes nothing.
 * @throws RegistryError `METADATA_UNAVAILABLE` when the database belongs to another program, or to a newer version of
 * this one.
 */
export function readSchemaVersion(database: DatabaseSync, file: string): number {
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']
  if (tables === 0) return 0
  if (database.prepare('PRAGMA application_id').get()?.['application_id'] !== applicationId) {
    throw new RegistryError(
      'METADATA_UNAVAILABLE',
      `${file} is a database of another program; use another file.`,
    )
  }
  const found = Number(
    database.prepare('SELECT max(version) AS version FROM schema_migrations').get()?.['version'],
  )
  if (found > schemaVersion) {
    throw new RegistryError(
      'METADATA_UNAVAILABLE',
      `${file} has schema ${found}, this program knows schemas up to ${schemaVersion}. Nothing was changed. ` +
        'Run a version of OpenRegistry that is at least as new as the one that used it last.',
    )
  }
  return found
}

/**
 * Brings the schema to the newest version, in one transaction under the write lock.
 * @returns the versions before and after.
 * @throws RegistryError as {@link readSchemaVersion}.
 */
export function migrate(database: DatabaseSync, file: string): { from: number; to: number } {
  if (readSchemaVersion(database, file) === 0) prepareEmptyFile(database)
  database.exec('BEGIN IMMEDIATE')
  try {
    // Asked again: another process may have done it while the lock was waited for.
    const from = readSchemaVersion(database, file)
    if (from === 0) begin(database)
    for (const migration of migrations) {
      if (migration.version <= from) continue
      for (const statement of migration.statements(words)) database.exec(statement)
      database
        .prepare(
          `INSERT INTO schema_migrations (version, name, applied_at)
           VALUES (?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
        )
        .run(migration.version, migration.name)
    }
    database.exec('COMMIT')
    return { from, to: schemaVersion }
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * Makes sure that the schema is the one this program works with.
 * @throws RegistryError as {@link readSchemaVersion}, and when it is older and may not be changed.
 */
export function requireSchema(
  database: DatabaseSync,
  { file, autoMigrate }: { file: string; autoMigrate: boolean },
): void {
  if (autoMigrate) {
    migrate(database, file)
    return
  }
  const found = readSchemaVersion(database, file)
  if (found === schemaVersion) return
  throw new RegistryError(
    'METADATA_UNAVAILABLE',
    `${file} has schema ${found}, this program needs schema ${schemaVersion}. ` +
      'Run "openregistry migrate", or set db.auto_migrate.',
  )
}

/** Both have to be said before the first table is there. */
function prepareEmptyFile(database: DatabaseSync): void {
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec('PRAGMA journal_mode = WAL')
}

function begin(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${applicationId}`)
  database.exec(`
    CREATE TABLE schema_migrations (
      version INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      applied_at INTEGER NOT NULL
    ) STRICT`)
}
