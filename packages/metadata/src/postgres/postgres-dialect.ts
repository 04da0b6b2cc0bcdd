import { createSql, type Dialect, type Sql } from '../sql/sql.ts'

/** The types of lists, as PostgreSQL spells them. */
const listTypes = { text: 'text', integer: 'bigint' }

/** Locks of the server's own table, which it gives in the order in which they are asked for. */
const turns = { shared: 'pg_advisory_xact_lock_shared', alone: 'pg_advisory_xact_lock' }

const dialect: Dialect = {
  // The time at which the statement arrived: it goes on within a transaction that waited for a lock, unlike `now()`, and
  // stays the same within a statement, unlike `clock_timestamp()`, so that indexes can be asked with it.
  now: 'CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS bigint)',
  joinedNames: `string_agg(name, ' ')`,
  lock: (strength) => strength,
  turn: (turn, column) => `${turns[turn]}(hashtextextended(${column}, 0))`,
  placeholder: (number) => `$${number}`,
  list: (type, placeholder) => `(SELECT unnest(${placeholder}::${listTypes[type]}[]) AS value)`,
  // Not `IN (SELECT …)`: that may be planned as a join, which reads everything else in the repository for a few rows.
  member: (type, placeholder, negated) =>
    `${negated ? '<> ALL' : '= ANY'} (${placeholder}::${listTypes[type]}[])`,
  encodeList: (list) => list.items,
  // Text has no NUL here, and none of ours is below a space: what a client made up compares as it would with NUL.
  encode: (value) => (typeof value === 'string' ? value.replaceAll('\0', '\u0001') : value),
}

/** The template tag for PostgreSQL. */
export const postgresSql: Sql = createSql(dialect)
