import type { DatabaseSync } from 'node:sqlite'

/** What a table of the registry is made of; the same in every engine, but for the types. */
export interface TableShape {
  name: string
  columns: readonly string[]
  /** The columns of the primary key, in its order. */
  key: readonly string[]
  /** The column whose values the database gives, or null. */
  identity: string | null
}

/** Tables that are about the database itself. */
const ownTables = new Set(['schema_migrations'])

/** Every table with content, those that others refer to first. */
export function readTables(database: DatabaseSync): TableShape[] {
  const names = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`)
    .all()
    .map(({ name }) => String(name))
    .filter((name) => !ownTables.has(name))
  return inOrder(database, names).map((name) => shapeOf(database, name))
}

function inOrder(database: DatabaseSync, names: readonly string[]): string[] {
  const ordered = new Set<string>()
  const visit = (name: string): void => {
    if (ordered.has(name)) return
    for (const { parent } of database
      .prepare(`SELECT "table" AS parent FROM pragma_foreign_key_list(?)`)
      .all(name)) {
      if (parent !== name) visit(String(parent))
    }
    ordered.add(name)
  }
  for (const name of names.toSorted()) visit(name)
  return [...ordered]
}

function shapeOf(database: DatabaseSync, name: string): TableShape {
  const rows = database.prepare('SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid').all(name)
  const columns = rows.map((row) => ({ name: String(row['name']), type: row['type'], pk: Number(row['pk']) }))
  const key = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
  const [only] = key
  const given = key.length === 1 && only?.type === 'INTEGER' && only.name === 'id'
  return {
    name,
    columns: columns.map((column) => column.name),
    key: key.map((column) => column.name),
    identity: given ? 'id' : null,
  }
}
