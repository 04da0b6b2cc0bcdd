import { describe, expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import { bytesOf, expectBytes, newKey, read, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

const mebi = 1024 * 1024

/** Sizes at the edges of what drivers and use cases treat differently. */
export const sizes = [0, 1, 16 * 1024, mebi - 1, mebi, mebi + 1, 5 * mebi + 3]

/** What is written is what is read. */
export function roundTripTests(open: OpenBlobStore): void {
  describe('round trip', () => {
    test.each(sizes)('%i bytes come back', async (size) => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(size)
      expect(await store.write(key, reusing(bytes, 65_536))).toEqual({ size })
      expect(await store.stat(key)).toEqual({ size })
      expectBytes(await read(store, key), bytes)
    })

    test('chunks of any size make one object, empty ones included', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(100_000)
      await store.write(key, reusing(bytes, 0, 1, 0, 4095, 4097, 0, 70_000))
      expectBytes(await read(store, key), bytes)
    })

    test('memory that threads share is as good as any', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(mebi)
      const shared = new Uint8Array(new SharedArrayBuffer(mebi))
      shared.set(bytes)
      await store.write(key, reusing(shared, mebi))
      expectBytes(await read(store, key), bytes)
    })

    test('a key is used once', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(1000)
      await store.write(key, reusing(bytes, 100))
      await expect(store.write(key, reusing(bytesOf(500, 2), 100))).rejects.toBeInstanceOf(RegistryError)
      expectBytes(await read(store, key), bytes)
    })

    test('unknown objects are null', async () => {
      await using store = await open()
      expect(await store.stat(newKey())).toBeNull()
      expect(await store.open(newKey())).toBeNull()
    })

    test('deleting is final, and once more is fine', async () => {
      await using store = await open()
      const [key, other] = [newKey(), newKey()]
      await store.write(key, reusing(bytesOf(1000), 100))
      await store.write(other, reusing(bytesOf(1000), 100))
      await store.delete(key)
      await store.delete(key)
      await store.delete(newKey())
      expect(await store.stat(key)).toBeNull()
      expect(await store.open(key)).toBeNull()
      expect(await store.stat(other)).toEqual({ size: 1000 })
    })

    test('a sound store passes its own check', async () => {
      await using store = await open()
      await store.check()
    })
  })
}
