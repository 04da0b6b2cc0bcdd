import { describe, expect, test } from 'vitest'
import { lists, newStorageKey, newUploadId, type StorageKey } from '@openregistry/core'
import { bytesOf, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

/** The ability `Lists`, of the stores that have it. */
export function listTests(open: OpenBlobStore): void {
  describe('listing', () => {
    test('an empty store lists nothing', async ({ skip }) => {
      await using store = await open()
      if (!lists(store)) return skip('the store cannot list')
      expect(await keysOf(store.list(''))).toEqual([])
      expect(await keysOf(store.list(`${newUploadId()}/`))).toEqual([])
    })

    test('by upload, by any other prefix, and everything', async ({ skip }) => {
      await using store = await open()
      if (!lists(store)) return skip('the store cannot list')
      const uploads = Array.from({ length: 5 }, () => newUploadId())
      const keys = uploads.flatMap((upload) => [newStorageKey(upload), newStorageKey(upload)])
      for (const key of keys) await store.write(key, reusing(bytesOf(10), 10))
      const expectListed = async (prefix: string): Promise<void> => {
        const expected = keys.filter((key) => key.startsWith(prefix))
        expect((await keysOf(store.list(prefix))).toSorted()).toEqual(expected.toSorted())
      }
      for (const upload of uploads) await expectListed(`${upload}/`)
      for (const key of keys)
        for (const length of [1, 2, 3, 32, 40, 65]) await expectListed(key.slice(0, length))
      await expectListed('')
    })

    test('what is deleted is not listed, and deleting while listing is fine', async ({ skip }) => {
      await using store = await open()
      if (!lists(store)) return skip('the store cannot list')
      const keys = Array.from({ length: 30 }, () => newStorageKey(newUploadId()))
      for (const key of keys) await store.write(key, reusing(bytesOf(1), 1))
      const seen: StorageKey[] = []
      for await (const key of store.list('')) {
        seen.push(key)
        await store.delete(key)
      }
      expect(seen.toSorted()).toEqual(keys.toSorted())
      expect(await keysOf(store.list(''))).toEqual([])
    })
  })
}

/** Everything that is listed. */
export async function keysOf(keys: AsyncIterable<StorageKey>): Promise<StorageKey[]> {
  const all: StorageKey[] = []
  for await (const key of keys) all.push(key)
  return all
}
