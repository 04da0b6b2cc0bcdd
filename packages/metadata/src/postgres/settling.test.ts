import { expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import { digestBytes, type Digest } from '@openregistry/oci'
import {
  describeWithPostgres,
  diskAlone,
  hashedContent,
  newName,
  openSession,
  pushBlob,
} from '@openregistry/testkit'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

async function isVisible(store: MetadataStore, digest: Digest): Promise<boolean> {
  const wish = { sha256: digestBytes(digest), as: 'block', except: [], bytes: false } as const
  return (await store.findPublicBlob(wish)) !== null
}

describeWithPostgres('settling on PostgreSQL', (cluster) => {
  test('waits for a push that has seen the repository as it was', async () => {
    const settings = settingsFor(await cluster().createDatabase())
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    const [name, content] = [newName(), hashedContent()]
    const { repository } = await openSession(store, name)
    await pushBlob(store, newName(), content)
    const push = await Connection.open(settings)
    try {
      // What a push does up to its commit.
      await push.run('BEGIN')
      await push.run(`SELECT id FROM repositories WHERE id = '${repository.id}' FOR KEY SHARE`)
      await push.run(`
        INSERT INTO repository_blobs (repository_id, digest, blob_id, namespace, known_private)
        SELECT r.id, b.sha256, b.id, 'x', r.visibility = 'private' FROM repositories AS r, blobs AS b
        WHERE r.id = '${repository.id}' AND b.sha256 = '${content.sha256}'`)
      await store.setVisibility(name, 'public', diskAlone)
      const unsettled = { id: repository.id, visibility: 'public' } as const
      expect(await store.settleContent({ ...unsettled, content: 'blobs', after: '', limit: 9 })).toBeNull()
      expect(await store.endSettling(unsettled)).toBe(false)
      await push.run('COMMIT')
      // Not yet settled: the repository is looked into by itself.
      expect(await isVisible(store, content.sha256)).toBe(true)
      expect(await store.endSettling(unsettled)).toBe(true)
      expect(await isVisible(store, content.sha256)).toBe(true)
    } finally {
      await push.close()
    }
  })
})
