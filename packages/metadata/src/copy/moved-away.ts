import { DatabaseSync } from 'node:sqlite'
import { movedAway } from '../applied-schema.ts'
import { toRegistryError } from '../sqlite/faults.ts'
import { ServerLock } from '../sqlite/server-lock.ts'

/** How long to wait for another process that writes, in milliseconds. */
const timeout = 5000

const now = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`

/**
 * Marks a database as moved, within the transaction that is open on it: from its commit on nobody opens it. A command that
 * has it open already may go on, and must not give an object up any more that the other database may name by now.
 * @param place where it is now; people are told.
 */
export function markMoved(database: DatabaseSync, place: string): void {
  database
    .prepare(
      `INSERT OR REPLACE INTO schema_migrations (version, name, applied_at, works_from) VALUES (?, ?, ${now}, ?)`,
    )
    .run(movedAway.version, place, movedAway.version)
  database.exec(`
    CREATE TRIGGER IF NOT EXISTS moved_away BEFORE INSERT ON pending_deletes
    BEGIN SELECT RAISE(ABORT, 'This database was moved to another place.'); END`)
}

/** Where a database was moved to, or null. */
export function placeMovedTo(database: DatabaseSync): string | null {
  const there = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'`).get()
  if (there === undefined) return null
  const row = database.prepare('SELECT name FROM schema_migrations WHERE version = ?').get(movedAway.version)
  return row === undefined ? null : String(row['name'])
}

/**
 * Where the registry of a SQLite file was moved to, or null. Changes nothing.
 * @throws RegistryError `METADATA_UNAVAILABLE` when the file cannot be read.
 */
export function readMove(file: string): string | null {
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout })
    return placeMovedTo(database)
  } catch (error) {
    throw toRegistryError(error)
  }
}

/**
 * Lets a SQLite file be used again that was moved. Its backends belong to the other database now, which has the same
 * identities of them, so this one gets others: it refuses them until somebody gives them to it.
 * @throws RegistryError `METADATA_UNAVAILABLE` when a copy is under way, or the file cannot be written.
 */
export function undoMove(file: string): void {
  using _lock = new ServerLock(file)
  try {
    using database = new DatabaseSync(file, { timeout })
    database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; BEGIN IMMEDIATE')
    database.prepare('DELETE FROM schema_migrations WHERE version = ?').run(movedAway.version)
    database.exec('DROP TRIGGER IF EXISTS moved_away')
    database.exec(`
      INSERT OR REPLACE INTO backend_identities (backend, identity, tied_at)
      SELECT backend, lower(hex(randomblob(16))), ${now} FROM (
        SELECT backend FROM backend_identities
        UNION SELECT backend FROM uploads
        UNION SELECT backend FROM blob_locations WHERE key IS NOT NULL
      )`)
    database.exec('COMMIT')
  } catch (error) {
    throw toRegistryError(error)
  }
}
