import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { seedColumns, type RowSink, type SeedTable, type SeedValue } from './openregistry-rows.ts'

function insertInto(table: SeedTable): string {
  const columns = seedColumns[table]
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
}

function bound(value: SeedValue): string | number | Uint8Array | null {
  return typeof value === 'boolean' ? Number(value) : value
}

/**
 * Fills a database of ours that has its schema and no rows, in one transaction.
 *
 * @param file of a registry that is not running
 * @param fill gives the rows
 */
export function seedSqlite(file: string, fill: (sink: RowSink) => void): void {
  using database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  // A rollback journal keeps only what pages held before: in an empty database, nothing.
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; BEGIN')
  // Built at the end from what is there, indexes cost half as much.
  const indexes = database
    .prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`)
    .all()
  for (const { name } of indexes) database.exec(`DROP INDEX "${String(name)}"`)
  const statements = new Map<SeedTable, StatementSync>()
  fill((table, values) => {
    let statement = statements.get(table)
    if (statement === undefined) statements.set(table, (statement = database.prepare(insertInto(table))))
    statement.run(...values.map(bound))
  })
  for (const { sql } of indexes) database.exec(String(sql))
  database.exec('COMMIT; PRAGMA journal_mode = WAL')
}
