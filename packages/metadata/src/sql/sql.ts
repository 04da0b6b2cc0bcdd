import type { Query, SqlValue } from './query.ts'

/** A piece of a statement that is the engine's word for something. Never made from input. */
export class Fragment {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Values of one type that a statement sees as a table with the column `value`. */
export class List {
  readonly type: 'text' | 'integer'
  readonly items: readonly (string | number)[]

  constructor(type: 'text' | 'integer', items: readonly (string | number)[]) {
    this.type = type
    this.items = items
  }
}

/** How strongly rows are locked until the step is over. SQLite has no such locks: its one writer is the lock. */
export type RowLock =
  | 'FOR UPDATE'
  | 'FOR NO KEY UPDATE'
  | 'FOR SHARE'
  | 'FOR KEY SHARE'
  | 'FOR UPDATE SKIP LOCKED'
  | 'FOR KEY SHARE SKIP LOCKED'

/**
 * How a step takes part in something that others may have to wait for. `shared`: as many as like, beside each other.
 * `alone`: nobody else. Who wants to be alone waits for those before, and those after wait for them, so that everybody
 * gets a turn; who waits for a row lock that many share may wait for ever.
 */
export type Turn = 'shared' | 'alone'

/** What differs between engines. Everything else keeps to SQL that all of them read alike. */
export interface Dialect {
  /** Expression for the database's clock in milliseconds since 1970. */
  now: string
  /** The clause that locks the rows of a query, or an empty string. */
  lock(strength: RowLock): string
  /** An expression for the list of a SELECT that waits for a turn at what a column names, and keeps it for the step. */
  turn(turn: Turn, column: string): string
  /** Aggregate of the column `name` with a space between two, in any order; null of no rows. */
  joinedNames: string
  /** The placeholder with this number, from 1. */
  placeholder(number: number): string
  /** A table expression in brackets with the column `value`, from one placeholder. */
  list(type: List['type'], placeholder: string): string
  /** Whether what stands before it is in a list, or not: `IN (…)` or its like. */
  member(type: List['type'], placeholder: string, negated: boolean): string
  /** How a list is bound. */
  encodeList(list: List): unknown
  /** How a value is bound. */
  encode(value: SqlValue): unknown
  /** How free space in the database goes back to the file system, where that takes a statement. */
  compaction?: Compaction
  /** Makes the connection overwrite what it deletes from now on, where that takes a statement. */
  erasing?: string
}

/** Statements that shrink a database. */
export interface Compaction {
  /** Answers one row with `free`, the number of pages that nothing uses. */
  free: string
  /** Gives some of them back. */
  release: string
  /** How many. */
  pages: number
}

/** Makes queries from template literals: pieces become placeholders or words of the engine, never text from outside. */
export interface Sql {
  (strings: TemplateStringsArray, ...parts: readonly (SqlValue | List | Fragment)[]): Query
  /** The database's clock, in milliseconds since 1970. */
  readonly now: Fragment
  /** The column `name` of all rows, none of which has spaces, with a space between two, in any order; null of no rows. */
  readonly joinedNames: Fragment
  /** Locks the rows of the query that it ends. */
  lock(strength: RowLock): Fragment
  /** Waits for a turn at the repository whose id this column of the query is. See {@link Turn}. */
  turn(turn: Turn, column: string): Fragment
  /** Strings to look among, `digest IN ${sql.texts(digests)}`, or as a table with the column `value`. */
  texts(items: readonly string[]): List
  /** Integers, in the same places. */
  integers(items: readonly number[]): List
  /** Null where the database shrinks by itself. */
  readonly compaction: Compaction | null
  /** Null where deleted rows are not left lying in the file for others to find, or nothing can be done about it. */
  readonly erasing: string | null
}

/** A place in the source: its text, and which of its parts are bound. */
interface Shape {
  text: string
  bound: readonly number[]
  varies: boolean
}

/** The template tag of an engine. The text of each place in the source is made once. */
export function createSql(dialect: Dialect): Sql {
  const shapes = new WeakMap<TemplateStringsArray, Shape>()
  const locks = new Map<RowLock, Fragment>()
  const tag = (strings: TemplateStringsArray, ...parts: readonly (SqlValue | List | Fragment)[]): Query => {
    let shape = shapes.get(strings)
    if (shape === undefined) shapes.set(strings, (shape = shapeOf(dialect, strings, parts)))
    const values: unknown[] = []
    for (const index of shape.bound) values.push(bind(dialect, parts[index] as SqlValue | List))
    return { text: shape.text, values, varies: shape.varies }
  }
  return Object.assign(tag, {
    now: new Fragment(dialect.now),
    joinedNames: new Fragment(dialect.joinedNames),
    lock(strength: RowLock): Fragment {
      let fragment = locks.get(strength)
      if (fragment === undefined) locks.set(strength, (fragment = new Fragment(dialect.lock(strength))))
      return fragment
    },
    turn: (turn: Turn, column: string) => new Fragment(dialect.turn(turn, column)),
    texts: (items: readonly string[]) => new List('text', items),
    integers: (items: readonly number[]) => new List('integer', items),
    compaction: dialect.compaction ?? null,
    erasing: dialect.erasing ?? null,
  })
}

function bind(dialect: Dialect, value: SqlValue | List): unknown {
  return value instanceof List ? dialect.encodeList(value) : dialect.encode(value)
}

const asksMembership = /\b(NOT )?IN $/

/** Text that goes on with a list: as a table, or after `IN` in the engine's own words for it. */
function withList(dialect: Dialect, text: string, type: List['type'], placeholder: string): string {
  const asked = asksMembership.exec(text)
  if (asked === null) return text + dialect.list(type, placeholder)
  return text.slice(0, asked.index) + dialect.member(type, placeholder, asked[1] !== undefined)
}

function shapeOf(
  dialect: Dialect,
  strings: TemplateStringsArray,
  parts: readonly (SqlValue | List | Fragment)[],
): Shape {
  let text = strings[0] ?? ''
  const bound: number[] = []
  for (const [index, part] of parts.entries()) {
    if (part instanceof Fragment) text += part.text
    else {
      bound.push(index)
      const placeholder = dialect.placeholder(bound.length)
      text = part instanceof List ? withList(dialect, text, part.type, placeholder) : text + placeholder
    }
    text += strings[index + 1] ?? ''
  }
  return { text, bound, varies: parts.some((part) => part instanceof List) }
}
