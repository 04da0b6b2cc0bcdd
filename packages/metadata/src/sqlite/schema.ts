import type { DatabaseSync } from 'node:sqlite'
import { RegistryError } from '@openregistry/oci'
import { migrations, type Migration, type SchemaWords } from '../../migrations/index.ts'
import {
  acceptedVersion,
  newestOf,
  requireVersion,
  worksFromOf,
  type AppliedMigration,
} from '../applied-schema.ts'

/** Written into the file's header, so that a database of another program is never touched: `OREG` in ASCII. */
const applicationId = 0x4f524547

/** How SQLite spells the types of the schema. */
export const words: SchemaWords = {
  text: 'TEXT',
  bytes: 'BLOB',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  identity: 'INTEGER PRIMARY KEY',
  identityOnce: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  table: ' STRICT',
  indexTable: ' STRICT, WITHOUT ROWID',
  unmeasured: () => [],
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
  const applied = database.prepare('SELECT * FROM schema_migrations').all()
  return acceptedVersion(applied as unknown as AppliedMigration[], file)
}

/**
 * Brings the schema to the newest version, in one transaction under the write lock.
 * @returns the versions before and after.
 * @throws RegistryError as {@link readSchemaVersion}.
 */
export function migrate(
  database: DatabaseSync,
  file: string,
  list: readonly Migration[] = migrations,
): { from: number; to: number } {
  if (readSchemaVersion(database, file) === 0) prepareEmptyFile(database)
  database.exec('BEGIN IMMEDIATE')
  try {
    // Asked again: another process may have done it while the lock was waited for.
    const from = readSchemaVersion(database, file)
    if (from === 0) begin(database)
    const missing = list.filter(({ version }) => version > from)
    if (missing.length > 0) noteWorksFrom(database)
    for (const migration of missing) apply(database, migration)
    database.exec('COMMIT')
    return { from, to: Math.max(from, newestOf(list)) }
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function apply(database: DatabaseSync, migration: Migration): void {
  for (const statement of migration.statements(words)) database.exec(statement)
  database
    .prepare(
      `INSERT INTO schema_migrations (version, name, applied_at, works_from)
       VALUES (?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER), ?)`,
    )
    .run(migration.version, migration.name, worksFromOf(migration))
}

/** Databases of the first days have no such column. */
function noteWorksFrom(database: DatabaseSync): void {
  const columns = database.prepare(`SELECT name FROM pragma_table_info('schema_migrations')`).all()
  if (columns.some(({ name }) => name === 'works_from')) return
  database.exec('ALTER TABLE schema_migrations ADD COLUMN works_from INTEGER')
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
  requireVersion(readSchemaVersion(database, file), file)
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
      applied_at INTEGER NOT NULL,
      works_from INTEGER
    ) STRICT`)
}
