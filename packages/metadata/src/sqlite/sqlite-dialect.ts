import { createSql, type Dialect, type Sql } from '../sql/sql.ts'

const list: Dialect['list'] = (_type, placeholder) => `(SELECT value FROM json_each(${placeholder}))`

/** How SQLite says things. */
export const sqliteDialect: Dialect = {
  now: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  joinedNames: `group_concat(name, ' ')`,
  lock: () => '',
  turn: () => 'NULL',
  placeholder: () => '?',
  list,
  member: (type, placeholder, negated) => `${negated ? 'NOT IN' : 'IN'} ${list(type, placeholder)}`,
  encodeList: (list) => JSON.stringify(list.items),
  compaction: {
    free: 'SELECT freelist_count AS free FROM pragma_freelist_count',
    release: 'PRAGMA incremental_vacuum(256)',
    pages: 256,
  },
  erasing: 'PRAGMA secure_delete = ON',
  encode: (value) => (typeof value === 'boolean' ? Number(value) : value),
}

/** The template tag for SQLite. */
export const sqliteSql: Sql = createSql(sqliteDialect)
