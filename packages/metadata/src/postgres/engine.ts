import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from '../operation-methods.ts'
import {
  operations,
  standalone,
  surveys,
  type OperationInput,
  type OperationName,
  type OperationResult,
  type ReadName,
} from '../operations.ts'
import { ownBytes } from '../own-bytes.ts'
import type { Step } from '../sql/query.ts'
import { ConnectionLost, type Connection } from './connection.ts'
import { mayTryAgain, toRegistryError } from './faults.ts'
import type { Pool } from './pool.ts'
import { postgresSql } from './postgres-dialect.ts'
import { runAlone, runStandalone, runSurvey, runTransaction } from './run-transaction.ts'

/** How often an operation is tried before its fault is told. */
const attempts = { read: 4, step: 8 }

/** Milliseconds before the second attempt; doubled for each further one. */
const firstPause = 5

/** Runs operations on connections of a pool. */
export class PostgresEngine implements Engine {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /**
   * One statement, which sees what was committed before it began, or a survey. Tried again on a fresh connection when one
   * is lost.
   */
  async read<N extends ReadName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>> {
    const run = surveys.has(name) ? runSurvey : runAlone
    return this.look((connection) => run(connection, begin(name, input)))
  }

  /** The same for whatever else only looks. @throws RegistryError */
  async look<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#persist(attempts.read, () => this.#pool.use('read', body))
  }

  /**
   * A transaction, or a statement that is one. What it collides with is waited for, or it is tried again a bounded number
   * of times.
   */
  async step<N extends OperationName>(name: N, ...input: OperationInput<N>): Promise<OperationResult<N>> {
    // Whoever called may use its buffers again at once.
    const own = ownBytes(input, []) as OperationInput<N>
    const run = standalone.has(name) ? runStandalone : runTransaction
    return this.#persist(attempts.step, () =>
      this.#pool.use('step', (connection) => run(connection, begin(name, own))),
    )
  }

  async #persist<T>(limit: number, attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt()
      } catch (error) {
        if (count === limit || !mayTryAgain(error)) throw toRegistryError(error)
        // At random, so that those who collided do not meet again. A lost connection needs no such thing.
        if (!(error instanceof ConnectionLost)) await pause(Math.random() * firstPause * 2 ** count)
      }
    }
  }
}

function begin<N extends OperationName>(name: N, input: OperationInput<N>): Step<OperationResult<N>> {
  const start = operations[name] as (
    sql: typeof postgresSql,
    ...input: readonly unknown[]
  ) => Step<OperationResult<N>>
  return start(postgresSql, ...input)
}
