import { createSql, type Dialect, type Sql } from '../sql/sql.ts'

const dialect: Dialect = {
  now: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  jsonArrayOfNames: 'json_group_array(name)',
  lock: () => '',
  placeholder: () => '?',
  list: (_type, placeholder) => `(SELECT value FROM json_each(${placeholder}))`,
  encodeList: (list) => JSON.stringify(list.items),
  encode: (value) => (typeof value === 'boolean' ? Number(value) : value),
}

/** The template tag for SQLite. */
export const sqliteSql: Sql = createSql(dialect)
