import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import {
  describeWithPostgres,
  manifestAt,
  manifestOf,
  newName,
  pushManifest,
  type Volume,
} from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

/** A manifest that needs space of its own. */
const large = () => manifestOf(newName(), { bytes: randomBytes(200_000) })

const ownDisk = { ownDisk: true }

describeWithPostgres(
  'a full disk of the server',
  (cluster) => {
    let disk: Volume

    beforeEach((context) => {
      if (cluster().disk?.isOwn !== true) context.skip('needs a user who may mount file systems')
      disk = cluster().disk!
    })

    async function open(): Promise<MetadataStore> {
      const settings = settingsFor(await cluster().createDatabase(), { connectTimeout: 3000 })
      return openPostgresMetadataStore({ ...settings, autoMigrate: true })
    }

    test('what needs space is refused and says what to do, what is there is read, and all goes on by itself', async () => {
      await using store = await open()
      const name = newName()
      const kept = await pushManifest(store, name)
      await disk.fill(0)
      try {
        await expect(store.putManifest(large())).rejects.toMatchObject({
          code: 'STORAGE_FULL',
          message: 'The disk of the database server has no space left: make room there, then try again.',
        })
        for (let count = 0; count < 20; count++) {
          expect(await manifestAt(store, name, kept.digest)).not.toBeNull()
          await store.check()
        }
      } finally {
        await disk.empty()
      }
      const next = large()
      await store.putManifest(next)
      expect(await manifestAt(store, next.repository, next.digest)).not.toBeNull()
    })

    test('when there is no space for its log either, the server crashes: it is away until there is', async () => {
      await using store = await open()
      const name = newName()
      const kept = await pushManifest(store, name)
      await disk.fill(0)
      try {
        await cluster().exhaustLog()
        await expect(store.putManifest(large())).rejects.toMatchObject({
          code: expect.stringMatching(/^(?:METADATA_UNAVAILABLE|STORAGE_FULL)$/) as string,
        })
      } finally {
        await disk.empty()
      }
      await cluster().recover()
      expect(await manifestAt(store, name, kept.digest)).not.toBeNull()
      await store.putManifest(large())
    })
  },
  ownDisk,
)
