import { describeWithPostgres, metadataStoreContract } from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

describeWithPostgres('PostgreSQL', (cluster) => {
  metadataStoreContract('PostgreSQL', async () => {
    const settings = settingsFor(await cluster().createDatabase())
    const store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    return { store, close: async () => store[Symbol.asyncDispose]() }
  })
})
