import { describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '@openregistry/core'
import { bytesOf, expectBytes, read, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

const kibi = 1024

/** Many at once. */
export function concurrencyTests(open: OpenBlobStore): void {
  describe('many at once', () => {
    test('parallel writes and reads do not mix', async () => {
      await using store = await open()
      const [first, second] = [newUploadId(), newUploadId()]
      const objects = Array.from({ length: 12 }, (_, index) => ({
        key: newStorageKey(index % 2 === 0 ? first : second),
        bytes: bytesOf(700 * kibi + index, index + 1),
      }))
      await Promise.all(objects.map(({ key, bytes }) => store.write(key, reusing(bytes, 100 * kibi))))
      const reads = [...objects, ...objects].map(async ({ key, bytes }, index) => {
        const range = { offset: index * kibi, length: 600 * kibi }
        expectBytes(await read(store, key), bytes)
        expectBytes(await read(store, key, range), bytes.subarray(index * kibi, (index + 600) * kibi))
      })
      await Promise.all(reads)
    })

    test('of parallel writes under one key exactly one succeeds, and stays whole', async () => {
      await using store = await open()
      const key = newStorageKey(newUploadId())
      const contents = [1, 2, 3, 4].map((seed) => bytesOf(300 * kibi, seed))
      const results = await Promise.allSettled(
        contents.map((bytes) => store.write(key, reusing(bytes, 50 * kibi))),
      )
      const winners = contents.filter((_, index) => results[index]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const bytes of winners) expectBytes(await read(store, key), bytes)
    })

    test('an object is there for everyone as soon as its write has resolved', async () => {
      await using store = await open()
      const turns = Array.from({ length: 10 }, async (_, index) => {
        const key = newStorageKey(newUploadId())
        const bytes = bytesOf(40 * kibi, index + 1)
        await store.write(key, reusing(bytes, 30 * kibi))
        expectBytes(await read(store, key), bytes)
        await store.delete(key)
        expect(await store.stat(key)).toBeNull()
      })
      await Promise.all(turns)
    })
  })
}
