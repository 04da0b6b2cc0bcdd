import { operations } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import { runStep } from './run-step.ts'
import { toRegistryError } from './faults.ts'
import { writeError, type WriterRequest, type WriterResult } from './messages.ts'
import type { Connection } from './connection.ts'
import { sqliteSql } from './sqlite-dialect.ts'

/** The whole transaction is gone, and with it what other steps of the group did. */
class GroupLost extends Error {}

/**
 * Runs a group of steps in one transaction, so that they share one wait for the disk. A step that fails is undone alone.
 * If the transaction itself fails, its steps are tried again one by one: a step that does not fit on the disk must not
 * take others with it. What this returns is durable.
 */
export function runGroup(connection: Connection, requests: readonly WriterRequest[]): WriterResult[] {
  try {
    connection.database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    return refuseAll(requests, error)
  }
  try {
    const results = requests.map((request) => runAlone(connection, request))
    connection.database.exec('COMMIT')
    return results
  } catch (error) {
    if (connection.database.isTransaction) connection.database.exec('ROLLBACK')
    if (requests.length === 1) return refuseAll(requests, error instanceof GroupLost ? error.cause : error)
    return requests.flatMap((request) => runGroup(connection, [request]))
  }
}

/** One step of a group. Its savepoint undoes it without its neighbours. */
function runAlone(connection: Connection, { id, operation, input }: WriterRequest): WriterResult {
  const { database } = connection
  database.exec('SAVEPOINT step')
  try {
    const start = operations[operation] as (
      sql: typeof sqliteSql,
      ...input: readonly unknown[]
    ) => Step<unknown>
    const value = runStep(connection, start(sqliteSql, ...input))
    database.exec('RELEASE step')
    return { id, value }
  } catch (error) {
    // SQLite undoes everything by itself when the disk is full or fails.
    if (!database.isTransaction) throw new GroupLost('The transaction was undone.', { cause: error })
    database.exec('ROLLBACK TO step')
    database.exec('RELEASE step')
    return { id, error: writeError(toRegistryError(error)) }
  }
}

function refuseAll(requests: readonly WriterRequest[], cause: unknown): WriterResult[] {
  const error = writeError(toRegistryError(cause))
  return requests.map(({ id }) => ({ id, error }))
}
