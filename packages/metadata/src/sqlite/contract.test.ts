import type { MetadataStore } from '@openregistry/core'
import { metadataStoreContract } from '@openregistry/testkit'
import { expect } from 'vitest'
import type { ReadName } from '../operations.ts'
import { Connection } from './connection.ts'
import { keptReads } from './kept-reads.ts'
import { openSqliteMetadataStore } from './open.ts'
import { readAfresh, withoutTime, type Question } from './read-afresh.ts'
import { temporaryFolder } from './temporary-folder.ts'

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
