import { describe, expect, test } from 'vitest'
import {
  newStorageKey,
  newUploadId,
  type MetadataStore,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { blobAt, commitOf, hour, openSession, partAt, pendingKeys, pushBlob } from './actions.ts'
import { hashedContent, newName, type HashedContent } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

/** Expiry, the sweep, the queue of objects to delete, and numbers. */
export function housekeepingTests(open: OpenMetadataStore): void {
  /** These look at what is global, so each has a store of its own. */
  const alone = (body: (store: MetadataStore) => Promise<void>) => async () => {
    const { store, close } = await open()
    try {
      await body(store)
    } finally {
      await close()
    }
  }

  describe('expireUploads', () => {
    test(
      'ends sessions whose time is over, and leaves others',
      alone(async (store) => {
        const name = newName()
        const [over, fresh] = [await openSession(store, name), await openSession(store, name)]
        const part = partAt(over.id, 0, hashedContent('abc'))
        await store.addPart({ upload: over.id, part, lifetime: 0 })
        expect(await store.expireUploads(10)).toStrictEqual([{ upload: over.id, backend: 'disk' }])
        expect(await pendingKeys(store)).toStrictEqual([part.stored.kind === 'object' ? part.stored.key : ''])
        expect(await store.findUpload(name, fresh.id)).not.toBeNull()
        expect(await store.listParts(over.id)).toStrictEqual([])
      }),
    )

    test(
      'names an ended session until it is swept',
      alone(async (store) => {
        const { id } = await openSession(store, newName(), { lifetime: 0 })
        const tombstone = [{ upload: id, backend: 'disk' }]
        expect(await store.expireUploads(10)).toStrictEqual(tombstone)
        expect(await store.expireUploads(10)).toStrictEqual(tombstone)
        await store.sweepUpload(id, [])
        expect(await store.expireUploads(10)).toStrictEqual([])
      }),
    )

    test(
      'names no tombstone before its time',
      alone(async (store) => {
        const name = newName()
        await pushBlob(store, name)
        const { id } = await openSession(store, name)
        await store.cancelUpload(name, id)
        expect(await store.expireUploads(10)).toStrictEqual([])
      }),
    )

    test(
      'does no more than it is told to',
      alone(async (store) => {
        const name = newName()
        for (let n = 0; n < 5; n++) await openSession(store, name, { lifetime: 0 })
        const seen = new Set<string>()
        for (let round = 0; round < 5; round++) {
          const ended = await store.expireUploads(2)
          expect(ended.length).toBeLessThanOrEqual(2)
          for (const { upload } of ended) {
            seen.add(upload)
            await store.sweepUpload(upload, [])
          }
        }
        expect(seen.size).toBe(5)
      }),
    )
  })

  describe('sweepUpload', () => {
    test(
      'gives away what no location names',
      alone(async (store) => {
        const name = newName()
        const { id } = await openSession(store, name)
        const content = hashedContent('abc')
        const part = partAt(id, 0, content)
        await store.addPart({ upload: id, part, lifetime: 0 })
        await store.expireUploads(10)
        const stray = newStorageKey(id)
        await store.sweepUpload(id, [stray])
        expect((await pendingKeys(store)).sort()).toStrictEqual(
          [stray, part.stored.kind === 'object' ? part.stored.key : ''].sort(),
        )
      }),
    )

    test(
      'keeps the object of a blob',
      alone(async (store) => {
        const name = newName()
        const content = hashedContent()
        const { upload, key } = await commitWithShortLife(store, name, content)
        const stray = newStorageKey(upload)
        await due(store, upload)
        await store.sweepUpload(upload, [key, stray])
        expect(await pendingKeys(store)).toStrictEqual([stray])
        expect(await blobAt(store, name, content.sha256)).toMatchObject({ location: { key } })
      }),
    )

    test(
      'leaves an open session, an early tombstone and an unknown upload alone',
      alone(async (store) => {
        const name = newName()
        const { id } = await openSession(store, name)
        const part = partAt(id, 0, hashedContent('abc'))
        await store.addPart({ upload: id, part, lifetime: hour })
        const key = part.stored.kind === 'object' ? part.stored.key : newStorageKey(id)
        await store.sweepUpload(id, [key])
        expect(await store.listParts(id)).toHaveLength(1)
        const done = await pushBlob(store, name)
        await store.sweepUpload(done.upload, [newStorageKey(done.upload)])
        const unknown = newUploadId()
        await store.sweepUpload(unknown, [newStorageKey(unknown)])
        expect(await pendingKeys(store)).toStrictEqual([])
      }),
    )
  })

  describe('pending deletes', () => {
    test(
      'come oldest first, once, until they are forgotten',
      alone(async (store) => {
        const name = newName()
        const keys: string[] = []
        for (let n = 0; n < 4; n++) {
          const { id } = await openSession(store, name)
          const part = partAt(id, 0, hashedContent())
          keys.push(part.stored.kind === 'object' ? part.stored.key : '')
          await store.addPart({ upload: id, part, lifetime: hour })
          await store.cancelUpload(name, id)
        }
        expect(await pendingKeys(store)).toStrictEqual(keys)
        const [first, second] = await store.listPendingDeletes(2)
        expect([first?.key, second?.key]).toStrictEqual(keys.slice(0, 2))
        expect(first).toMatchObject({ backend: 'disk' })
        await store.forgetPendingDeletes([second!.id, 987_654_321])
        await store.forgetPendingDeletes([])
        expect(await pendingKeys(store)).toStrictEqual([keys[0], keys[2], keys[3]])
      }),
    )
  })

  describe('operation', () => {
    test(
      'check resolves, figures count',
      alone(async (store) => {
        const name = newName()
        await store.check()
        const { schemaVersion } = await store.figures()
        expect(schemaVersion).toBeGreaterThan(0)
        expect(await store.figures()).toStrictEqual({ schemaVersion, openUploads: 0, pendingDeletes: 0 })
        const { id } = await openSession(store, name)
        await openSession(store, name, { lifetime: 0 })
        await store.addPart({ upload: id, part: partAt(id, 0, hashedContent()), lifetime: hour })
        expect(await store.figures()).toMatchObject({ openUploads: 1, pendingDeletes: 0 })
        await store.cancelUpload(name, id)
        expect(await store.figures()).toMatchObject({ openUploads: 0, pendingDeletes: 1 })
      }),
    )
  })
}

/** Commits a blob in a session that has little time left, more of it at each attempt that came too late. */
async function commitWithShortLife(
  store: MetadataStore,
  name: RepositoryName,
  content: HashedContent,
): Promise<{ upload: UploadId; key: StorageKey }> {
  for (let lifetime = 64; ; lifetime *= 2) {
    const { id } = await openSession(store, name, { lifetime })
    const key = newStorageKey(id)
    try {
      await store.commitBlob(commitOf(id, content, { stored: { kind: 'object', key } }))
      return { upload: id, key }
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'BLOB_UPLOAD_UNKNOWN') throw error
    }
  }
}

/** Asks until the tombstone is due; its time is the database's, and nothing else can be asked. */
async function due(store: MetadataStore, upload: string): Promise<void> {
  for (;;) {
    const ended = await store.expireUploads(10)
    if (ended.some((one) => one.upload === upload)) return
  }
}
