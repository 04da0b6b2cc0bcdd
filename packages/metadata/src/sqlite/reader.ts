import { reads, type OperationInput, type OperationResult, type ReadName } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import { RegistryError } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { isBusy, toRegistryError } from './faults.ts'
import { runStep } from './run-step.ts'
import { sqliteSql } from './sqlite-dialect.ts'
import type { Writer } from './writer.ts'

/**
 * Reads on the caller's thread, each one statement that sees everything committed before. It never waits: in the rare
 * moments when the file is locked against readers, the writer's thread does the read.
 */
export class Reader implements Disposable {
  readonly #connection: Connection
  readonly #writer: Writer
  #closed = false

  constructor(file: string, writer: Writer) {
    this.#connection = new Connection(file, { readOnly: true, timeout: 0 })
    this.#writer = writer
  }

  /** Runs a read. */
  async run<N extends ReadName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>> {
    if (this.#closed) throw new RegistryError('METADATA_UNAVAILABLE', 'The database was closed.')
    try {
      const start = reads[name] as (sql: typeof sqliteSql, ...input: unknown[]) => Step<OperationResult<N>>
      return runStep(this.#connection, start(sqliteSql, ...input))
    } catch (error) {
      if (isBusy(error)) return this.#writer.run(name, ...input)
      throw toRegistryError(error)
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection[Symbol.dispose]()
  }
}
