import { statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  acceptedVersion,
  movedAway,
  requireVersion,
  schemaVersion,
  type AppliedMigration,
} from '../applied-schema.ts'
import { ServerLock } from '../sqlite/server-lock.ts'
import { markMoved, placeMovedTo } from './moved-away.ts'
import { readTables, type TableShape } from './tables.ts'
import { batchLimits, weightOf, type RowValues, type Value } from './values.ts'
import { RegistryError } from '@openregistry/oci'

/** How long to wait for a command that writes, in milliseconds. */
const timeout = 5000

/**
 * A SQLite file that is copied. While it is open no server can have it, and no command can write to it, so it stays as it
 * is: what was compared is what is marked as moved.
 */
export class CopySource implements Disposable {
  readonly tables: readonly TableShape[]
  /** Changes whenever anything in the file changes. */
  readonly fingerprint: string
  readonly #lock: ServerLock
  readonly #database: DatabaseSync

  readonly #place: string

  /**
   * @param place where it is copied to.
   * @throws RegistryError `METADATA_UNAVAILABLE` when a server has it, its schema is not this program's, or it was moved to
   * another place.
   */
  constructor(file: string, place: string) {
    this.#place = place
    this.#lock = new ServerLock(file)
    try {
      this.#database = openFile(file, place)
    } catch (error) {
      this.#lock[Symbol.dispose]()
      throw error
    }
    const { size, mtimeMs } = statSync(file)
    this.fingerprint = `${size} ${mtimeMs}`
    this.tables = readTables(this.#database)
  }

  count({ name }: TableShape): number {
    return Number(this.#database.prepare(`SELECT count(*) AS count FROM ${name}`).get()?.['count'])
  }

  /** The greatest number that was ever given to a row of a table. */
  lastIdentity({ name, identity }: TableShape): number {
    const greatest = this.#database.prepare(`SELECT max(${identity}) AS id FROM ${name}`).get()?.['id']
    const given = this.#database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(name)?.['seq']
    return Math.max(Number(greatest ?? 0), Number(given ?? 0))
  }

  /** Rows in the order of their key, after the one that has this key. Empty when there are no more. */
  rowsAfter(table: TableShape, after: readonly Value[] | null): RowValues[] {
    const { name, columns, key } = table
    const from = after === null ? '' : `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`
    const statement = this.#database.prepare(
      `SELECT ${columns.join(', ')} FROM ${name} ${from} ORDER BY ${key.join(', ')} LIMIT ${batchLimits.rows}`,
    )
    statement.setReturnArrays(true)
    const rows: RowValues[] = []
    let weight = 0
    for (const row of statement.iterate(...((after ?? []) as SQLInputValue[]))) {
      rows.push(row as unknown as RowValues)
      weight += weightOf(rows.at(-1) ?? [])
      if (weight >= batchLimits.bytes) break
    }
    return rows
  }

  /** From now on nobody uses the file: its registry is in the other place. Durable. */
  markMoved(): void {
    this.#database.exec('PRAGMA query_only = OFF')
    markMoved(this.#database, this.#place)
    this.#database.exec('COMMIT')
  }

  [Symbol.dispose](): void {
    this.#database.close()
    this.#lock[Symbol.dispose]()
  }
}

function openFile(file: string, place: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout })
  try {
    // A copy that was interrupted after the mark goes on.
    const goesOn = placeMovedTo(database) === place
    const applied = database.prepare('SELECT * FROM schema_migrations').all() as unknown as AppliedMigration[]
    const found = acceptedVersion(
      applied.filter(({ version }) => !goesOn || version !== movedAway.version),
      file,
    )
    requireVersion(found, file)
    if (found !== schemaVersion) {
      throw new RegistryError(
        'METADATA_UNAVAILABLE',
        `${file} has the schema of a newer release; copy it with that.`,
      )
    }
    // What the log has goes into the file, whose time of change then says whether anything happened since.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON')
    // Nobody else writes until this is over. What is copied is read within.
    database.exec('BEGIN IMMEDIATE')
    database.exec('PRAGMA query_only = ON')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
