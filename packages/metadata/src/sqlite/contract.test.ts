import { metadataStoreContract } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

metadataStoreContract('SQLite', async () => {
  const folder = await temporaryFolder()
  const store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
  return {
    store,
    async close() {
      await store[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
})
