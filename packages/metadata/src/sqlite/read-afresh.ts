import { reads, type ReadName } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import type { Connection } from './connection.ts'
import { runStep } from './run-step.ts'
import { sqliteSql } from './sqlite-dialect.ts'

/** A read with its input. */
export type Question = [name: ReadName, input: readonly unknown[]]

/** What a connection says that has no memory. For tests. */
export function readAfresh(connection: Connection, [name, input]: Question): unknown {
  return runStep(
    connection,
    (reads[name] as (sql: Sql, ...input: unknown[]) => Step<unknown>)(sqliteSql, ...input),
  )
}

/** An answer that can be compared: the time is told only to whom it is new. */
export function withoutTime(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => (key === 'now' ? undefined : value))
  return JSON.parse(text) as unknown
}
