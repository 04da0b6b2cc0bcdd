import type { Query, Row, Step } from '../sql/query.ts'
import { ConnectionLost, isServerError, type Connection } from './connection.ts'

/** The connection ended while a commit was under way: nobody knows whether it happened. */
export class OutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super('The connection to the database was lost during a commit.', { cause })
  }
}

const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED'

/**
 * Runs a step in a transaction of its own.
 * @throws what the step throws, or the server's error, when nothing happened; {@link ConnectionLost} when the connection
 * ended before the commit, so that nothing happened either; {@link OutcomeUnknown}.
 */
export async function runTransaction<T>(connection: Connection, step: Step<T>): Promise<T> {
  let turn = step.next([])
  if (turn.done === true) return turn.value
  // Sent together with the first query: nothing waits for this alone.
  const begun = connection.run(begin)
  try {
    while (turn.done !== true) {
      const [rows] = await Promise.all([ask(connection, turn.value), begun])
      turn = step.next(rows)
    }
  } catch (error) {
    if (!connection.lost) await connection.run('ROLLBACK')
    throw error
  }
  try {
    await connection.run('COMMIT')
  } catch (error) {
    throw await afterCommit(connection, error)
  }
  return turn.value
}

/** What an error means that came instead of a commit: a server that crashed with it may have done the commit before. */
async function afterCommit(connection: Connection, error: unknown): Promise<unknown> {
  if (!(error instanceof ConnectionLost) && !isServerError(error)) return error
  const goesOn = await connection.run('SELECT 1').then(
    () => true,
    () => false,
  )
  return goesOn ? error : new OutcomeUnknown(error)
}

/**
 * Runs a step that needs no transaction: the statement that changes something commits by itself.
 * @throws as {@link runTransaction}.
 */
export async function runStandalone<T>(connection: Connection, step: Step<T>): Promise<T> {
  try {
    return await runAlone(connection, step)
  } catch (error) {
    throw await afterCommit(connection, error)
  }
}

/** Runs a read: each of its statements is a transaction of its own. */
export async function runAlone<T>(connection: Connection, step: Step<T>): Promise<T> {
  let turn = step.next([])
  while (turn.done !== true) turn = step.next(await ask(connection, turn.value))
  return turn.value
}

/** Milliseconds that one statement of a survey may take: an hour, in which it reads far more than anybody has. */
const surveyTimeout = 3_600_000

/**
 * Runs a read over all that there is: all of its statements see the same, and none has to be done before a request would be
 * given up. Sorts may take more memory than a request is given.
 */
export async function runSurvey<T>(connection: Connection, step: Step<T>): Promise<T> {
  await connection.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    await connection.run(`SET LOCAL statement_timeout = ${surveyTimeout}`)
    await connection.run(`SET LOCAL work_mem = '64MB'`)
    await connection.run('SET LOCAL enable_seqscan = on')
    let turn = step.next([])
    while (turn.done !== true) turn = step.next(await ask(connection, turn.value, surveyTimeout))
    return turn.value
  } finally {
    if (!connection.lost) await connection.run('ROLLBACK')
  }
}

const none: readonly Row[] = []

/** Runs what a step asks for: one query for its rows, or several for what they do, in one round trip. */
async function ask(
  connection: Connection,
  wanted: Query | readonly Query[],
  statementTimeout?: number,
): Promise<readonly Row[]> {
  if ('text' in wanted) return connection.all(wanted, statementTimeout)
  const settled = await Promise.allSettled(wanted.map((query) => connection.all(query, statementTimeout)))
  for (const result of settled) if (result.status === 'rejected') throw result.reason
  return none
}
