import { RegistryError } from '@openregistry/oci'
import { schemaVersion, unfinishedCopy } from '../applied-schema.ts'
import { Connection } from '../postgres/connection.ts'
import { isUsedByOthers } from '../postgres/in-use.ts'
import { migrate, readSchema } from '../postgres/schema.ts'
import { restoringName, servingName, type PostgresSettings } from '../postgres/settings.ts'
import type { TableShape } from './tables.ts'
import { batchLimits, keyOf, leastWeight, readKey, writeKey, type RowValues, type Value } from './values.ts'

/**
 * Milliseconds that the server may work on a batch, on emptying tables, or on counting what is in them, and that it waits for
 * us. Nobody else needs the tables, and the leaf hashes of a very large blob may take long on their way.
 */
const limits = { statementTimeout: 600_000, idleInTransaction: 600_000 }

/** How far a table is copied. */
export interface Progress {
  /** Of the last row that is there, or null. */
  after: Value[] | null
  rows: number
}

/** The PostgreSQL database that is copied to. Until the copy is finished no server opens it. */
export class CopyTarget implements AsyncDisposable {
  readonly #connection: Connection
  readonly #types = new Map<string, string>()

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Opens an empty database, or one that a copy of the same state was interrupted in; what is there of another state is
   * removed.
   * @throws RegistryError `CONFLICT` when it holds a registry, or a server uses it.
   */
  static async open(
    settings: PostgresSettings,
    tables: readonly TableShape[],
    fingerprint: string,
  ): Promise<CopyTarget> {
    const connection = await Connection.open({ ...settings, ...limits })
    try {
      const target = new CopyTarget(connection)
      await target.#requireAlone()
      if (!(await target.#isUnfinished())) await target.#begin(tables)
      await target.#keepOrRestart(tables, fingerprint)
      await target.#readTypes()
      return target
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  async #requireAlone(): Promise<void> {
    if (await isUsedByOthers(this.#connection, [servingName, restoringName]))
      throw conflict('A server, or another copy, uses the database; stop it first.')
  }

  async #isUnfinished(): Promise<boolean> {
    const [row] = await this.#connection.run(`SELECT to_regclass('copy_state') IS NOT NULL AS there`)
    if (row?.['there'] !== true) return false
    const [schema] = await this.#connection.run(
      `SELECT max(version) AS version FROM schema_migrations WHERE version < ${unfinishedCopy.version}`,
    )
    if (schema?.['version'] !== schemaVersion)
      throw conflict(
        'Another release began this copy. Drop the database, create it again, and repeat the copy.',
      )
    return true
  }

  async #begin(tables: readonly TableShape[]): Promise<void> {
    await migrate(this.#connection)
    if ((await readSchema(this.#connection)) !== schemaVersion)
      throw conflict('The database has the schema of a newer release; copy with that.')
    for (const name of ['repositories', 'blobs']) {
      if ((await this.#connection.run(`SELECT 1 FROM ${name} LIMIT 1`)).length > 0)
        throw conflict(
          'The database holds a registry already, perhaps a copy that came to its end; a copy goes to an empty one. ' +
            'Nothing was changed.',
        )
    }
    await this.#inTransaction(async () => {
      await this.#connection.run(`CREATE TABLE copy_state (name text PRIMARY KEY, value text NOT NULL)`)
      await this.#connection.run(`
        INSERT INTO schema_migrations (version, name, applied_at, works_from)
        VALUES (${unfinishedCopy.version}, '${unfinishedCopy.name}', 0, ${unfinishedCopy.version})`)
      await this.#empty(tables)
    })
  }

  async #keepOrRestart(tables: readonly TableShape[], fingerprint: string): Promise<void> {
    const [row] = await this.#connection.run(`SELECT value FROM copy_state WHERE name = ''`)
    if (row?.['value'] === fingerprint) return
    await this.#inTransaction(async () => {
      await this.#empty(tables)
      await this.#connection.run('DELETE FROM copy_state')
      await this.#note('', fingerprint)
    })
  }

  async #empty(tables: readonly TableShape[]): Promise<void> {
    await this.#connection.run(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`)
  }

  async #readTypes(): Promise<void> {
    const rows = await this.#connection.run(`
      SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = current_schema()`)
    for (const row of rows)
      this.#types.set(`${String(row['table_name'])}.${String(row['column_name'])}`, String(row['data_type']))
  }

  /** How far an earlier run came with a table. */
  async progress({ name }: TableShape): Promise<Progress> {
    const text = `SELECT value FROM copy_state WHERE name = $1`
    const [row] = await this.#connection.all({ text, values: [name] })
    if (row === undefined) return { after: null, rows: 0 }
    const { after, rows } = JSON.parse(String(row['value'])) as { after: string; rows: number }
    return { after: readKey(after), rows }
  }

  /** Adds rows, and notes in the same transaction how far the table is. */
  async add(table: TableShape, rows: readonly RowValues[], before: number): Promise<Progress> {
    const last = rows.at(-1)
    if (last === undefined) throw new RegistryError('INTERNAL', 'There is nothing to add.')
    const after = keyOf(table, last)
    const types = table.columns.map((column) => this.#typeOf(table, column))
    const lists = types.map((type, index) => rows.map((row) => asType(type, row[index] ?? null)))
    const places = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')
    await this.#inTransaction(async () => {
      // Lost with its note or not at all, should the server crash.
      await this.#connection.run('SET LOCAL synchronous_commit = off')
      await this.#connection.all({
        text: `INSERT INTO ${table.name} (${table.columns.join(', ')}) SELECT * FROM unnest(${places})`,
        values: lists,
      })
      await this.#note(table.name, JSON.stringify({ after: writeKey(after), rows: before + rows.length }))
    })
    return { after, rows: before + rows.length }
  }

  /** Rows as {@link CopySource.rowsAfter} gives them, and no more bytes at once. */
  async rowsAfter(table: TableShape, after: readonly Value[] | null): Promise<RowValues[]> {
    const { name, columns, key } = table
    const [list, order] = [columns.join(', '), key.join(', ')]
    const from = after === null ? '' : `WHERE (${order}) > (${key.map((_, n) => `$${n + 1}`).join(', ')})`
    // The size of a value is known without the value: what would be too much is never read.
    const rows = await this.#connection.all({
      text: `
        SELECT ${list} FROM (
          SELECT ${list}, sum(${this.#weightOf(table)}) OVER (
            ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM (SELECT ${list} FROM ${name} ${from} ORDER BY ${order} LIMIT ${batchLimits.rows}) AS page
        ) AS weighed
        WHERE coalesce(before, 0) < ${batchLimits.bytes} ORDER BY ${order}`,
      values: after ?? [],
    })
    return rows.map((row) => columns.map((column) => row[column] as Value))
  }

  /** What {@link weightOf} says of a row, in SQL. */
  #weightOf(table: TableShape): string {
    const long = table.columns.filter((column) => ['text', 'bytea'].includes(this.#typeOf(table, column)))
    return [String(leastWeight), ...long.map((column) => `coalesce(octet_length(${column}), 0)`)].join(' + ')
  }

  #typeOf({ name }: TableShape, column: string): string {
    return this.#types.get(`${name}.${column}`) ?? 'text'
  }

  /** Lets the database give numbers after this one. */
  async setIdentity({ name, identity }: TableShape, last: number): Promise<void> {
    if (identity === null || last === 0) return
    await this.#connection.run(`SELECT setval(pg_get_serial_sequence('${name}', '${identity}'), ${last})`)
  }

  /** Makes the database one that servers open, durably. */
  async finish(): Promise<void> {
    // What was copied is planned for as what is there.
    await this.#connection.run('ANALYZE')
    await this.#inTransaction(async () => {
      await this.#connection.run('SET LOCAL synchronous_commit = on')
      await this.#connection.run('DROP TABLE copy_state')
      await this.#connection.run(`DELETE FROM schema_migrations WHERE version = ${unfinishedCopy.version}`)
    })
  }

  async #note(name: string, value: string): Promise<void> {
    const text = `
      INSERT INTO copy_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
    await this.#connection.all({ text, values: [name, value] })
  }

  async #inTransaction(body: () => Promise<void>): Promise<void> {
    await this.#connection.run('BEGIN')
    try {
      await body()
      await this.#connection.run('COMMIT')
    } catch (error) {
      if (!this.#connection.lost) await this.#connection.run('ROLLBACK')
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }
}

function asType(type: string, value: Value): Value {
  return type === 'boolean' && typeof value === 'number' ? value !== 0 : value
}

function conflict(message: string): RegistryError {
  return new RegistryError('CONFLICT', message)
}
