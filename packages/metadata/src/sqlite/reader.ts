import { reads, type OperationInput, type OperationResult, type ReadName } from '../operations.ts'
import type { Query, Step } from '../sql/query.ts'
import { RegistryError } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { isBusy, toRegistryError } from './faults.ts'
import { KeptAnswers } from './kept-answers.ts'
import { keptReads, type Keeping } from './kept-reads.ts'
import { ownText } from './own-text.ts'
import { runStep } from './run-step.ts'
import { sqliteSql } from './sqlite-dialect.ts'
import type { Writer } from './writer.ts'

const begin: Query = { text: 'BEGIN', values: [] }
const end: Query = { text: 'COMMIT', values: [] }
/** Another number once any other connection, of whatever process, has written; and this one never writes. */
const version: Query = { text: 'PRAGMA data_version', values: [] }

/** Milliseconds for which a snapshot is shared: a turn in which very many ask is long. */
const sharedAtMost = 5

/**
 * Reads on the caller's thread, each one statement that sees everything acknowledged before. It never waits: in the rare
 * moments when the file is locked against readers, the writer's thread does the read.
 *
 * Beginning to read costs SQLite three system calls, half of a small query. Reads of one turn of the event loop therefore
 * share one snapshot. It ends before an answer of the writer is seen, so whoever was told of a change reads it; what
 * another process changes is read from the next turn on, or a few milliseconds later in a long one.
 *
 * Where nothing was written since, an answer is given again instead of being looked up again. It is the same object: nobody
 * changes what was read.
 */
export class Reader implements Disposable {
  readonly kept: KeptAnswers
  readonly #connection: Connection
  readonly #writer: Writer
  #closed = false
  #snapshot: NodeJS.Immediate | null = null
  /** When it began, by `performance.now()`. */
  #begun = 0

  constructor(file: string, writer: Writer, kept = new KeptAnswers()) {
    this.kept = kept
    this.#connection = new Connection(file, { readOnly: true, timeout: 0 })
    this.#writer = writer
    writer.beforeAnswers = () => this.#endSnapshot()
  }

  /** Runs a read. */
  async run<N extends ReadName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>> {
    if (this.#closed) throw new RegistryError('METADATA_UNAVAILABLE', 'The database was closed.')
    try {
      this.#beginSnapshot()
      const keeping = keptReads[name] as Keeping<N> | undefined
      return keeping === undefined ? this.#read(name, input) : this.#readOnce(keeping, name, input)
    } catch (error) {
      if (isBusy(error)) return this.#writer.run(name, ...input)
      throw toRegistryError(error)
    }
  }

  #readOnce<N extends ReadName>(keeping: Keeping<N>, name: N, input: OperationInput<N>): OperationResult<N> {
    const key = keeping.key(...input)
    if (key === null) return this.#read(name, input)
    const known = this.kept.get(key)
    if (known !== undefined) return known as OperationResult<N>
    const own = input.map((part: unknown) => (typeof part === 'string' ? ownText(part) : part))
    const answer = this.#read(name, own as OperationInput<N>)
    const size = keeping.size(answer)
    if (size !== null) this.kept.keep(ownText(key), answer, size)
    return answer
  }

  #read<N extends ReadName>(name: N, input: OperationInput<N>): OperationResult<N> {
    const start = reads[name] as (sql: typeof sqliteSql, ...input: unknown[]) => Step<OperationResult<N>>
    return runStep(this.#connection, start(sqliteSql, ...input))
  }

  #beginSnapshot(): void {
    const now = performance.now()
    if (this.#snapshot !== null) {
      if (now - this.#begun < sharedAtMost) return
      this.#endSnapshot()
    }
    this.#begun = now
    this.#connection.all(begin)
    this.#snapshot = setImmediate(() => this.#endSnapshot())
    try {
      // What this asks is asked of the snapshot, which begins with it.
      this.kept.begin(this.#connection.all(version)[0]?.['data_version'])
    } catch (error) {
      // The next read has to ask again, before it takes an answer from memory.
      this.#endSnapshot()
      throw error
    }
  }

  #endSnapshot(): void {
    if (this.#snapshot === null) return
    clearImmediate(this.#snapshot)
    this.#snapshot = null
    // SQLite ends it by itself after some errors.
    if (this.#connection.database.isTransaction) this.#connection.all(end)
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#endSnapshot()
    this.#closed = true
    this.#connection[Symbol.dispose]()
  }
}
