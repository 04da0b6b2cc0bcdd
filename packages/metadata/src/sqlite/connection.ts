import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import type { Query, Row } from '../sql/query.ts'

/** What a statement gives and takes here; the template tag of `sqlite-dialect.ts` binds nothing else. */
type Bound = string | number | null | Uint8Array

/** Sizes in KiB of what SQLite keeps of the file in memory. */
const cacheSize = { reader: 16 * 1024, writer: 8 * 1024 }

/** A statement, and what makes a row of the values of its columns. */
interface Prepared {
  statement: StatementSync
  toRow: (values: readonly SQLOutputValue[]) => Row
}

/** A connection with its statements, each prepared once. */
export class Connection implements Disposable {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  /** @param timeout how long a statement waits for a lock that another connection holds, in milliseconds. */
  constructor(file: string, { readOnly, timeout }: { readOnly: boolean; timeout: number }) {
    this.database = new DatabaseSync(file, { readOnly, timeout })
    this.database.exec(`PRAGMA cache_size = -${readOnly ? cacheSize.reader : cacheSize.writer}`)
  }

  /** Runs a query and gives its rows. */
  all(query: Query): readonly Row[] {
    const { statement, toRow } = this.#prepare(query.text)
    const rows = statement.all(...(query.values as readonly Bound[])) as unknown as SQLOutputValue[][]
    return rows.map(toRow)
  }

  #prepare(text: string): Prepared {
    let prepared = this.#statements.get(text)
    if (prepared === undefined) {
      const statement = this.database.prepare(text)
      statement.setReturnArrays(true)
      prepared = { statement, toRow: rowMaker(statement.columns().map(({ name }) => name)) }
      this.#statements.set(text, prepared)
    }
    return prepared
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    this.database.close()
  }
}

/**
 * The objects that `node:sqlite` makes are dictionaries, which are slow to read. These have one shape for each statement,
 * from a function of its own: one for all, which would look every column up by name, takes as long as a small query.
 * Columns are named by this package's own statements.
 */
function rowMaker(columns: readonly string[]): Prepared['toRow'] {
  const fields = columns.map((name, index) => `${JSON.stringify(name)}: values[${index}]`)
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function('values', `return { ${fields.join(', ')} }`) as Prepared['toRow']
}

/** What makes a writing connection durable and strict. */
export function configureWriter({ database }: Connection): void {
  database.exec('PRAGMA journal_mode = WAL')
  // A commit is acknowledged only when the log is on the disk; on macOS that takes more than fsync.
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA fullfsync = ON')
  database.exec('PRAGMA checkpoint_fullfsync = ON')
  database.exec('PRAGMA foreign_keys = ON')
  // Leaves no copies behind where rows move, as far as that costs no writing: a purge cannot find those.
  database.exec('PRAGMA secure_delete = FAST')
  // Done after the answers have gone out, see `checkpoint.ts`.
  database.exec('PRAGMA wal_autocheckpoint = 0')
}
