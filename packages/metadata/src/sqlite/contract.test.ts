import type { MetadataStore } from '@openregistry/core'
import { metadataStoreContract } from '@openregistry/testkit'
import { expect } from 'vitest'
import { reads, type ReadName } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { Connection } from './connection.ts'
import { keptReads } from './kept-reads.ts'
import { openSqliteMetadataStore } from './open.ts'
import { runStep } from './run-step.ts'
import { sqliteSql } from './sqlite-dialect.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Question = [name: ReadName, input: readonly unknown[]]

/** Writes down what is asked of the reads whose answers are kept. */
function noting(store: MetadataStore, asked: Question[]): MetadataStore {
  const noted: Record<string, unknown> = {}
  for (const name of Object.keys(keptReads) as ReadName[]) {
    const ask = store[name] as (...input: readonly unknown[]) => Promise<unknown>
    noted[name] = (...input: readonly unknown[]) => {
      asked.push([name, input])
      return ask(...input)
    }
  }
  return { ...store, ...noted }
}

/** What a connection says that has no memory. */
function readAfresh(connection: Connection, [name, input]: Question): unknown {
  return runStep(
    connection,
    (reads[name] as (sql: Sql, ...input: unknown[]) => Step<unknown>)(sqliteSql, ...input),
  )
}

/** The time is told only to whom it is new. */
function withoutTime(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => (key === 'now' ? undefined : value))
  return JSON.parse(text) as unknown
}

metadataStoreContract('SQLite', async () => {
  const folder = await temporaryFolder()
  const store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
  const asked: Question[] = []
  return {
    store: noting(store, asked),
    async close() {
      try {
        using afresh = new Connection(folder.file, { readOnly: true, timeout: 1000 })
        // At the end of each case: whatever was asked in it, now twice, and once of somebody else.
        for (const [name, input] of asked) {
          const ask = store[name] as (...input: readonly unknown[]) => Promise<unknown>
          await ask(...input)
          const answer = withoutTime(await ask(...input))
          expect(answer).toStrictEqual(withoutTime(readAfresh(afresh, [name, input])))
        }
      } finally {
        await store[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      }
    },
  }
})
