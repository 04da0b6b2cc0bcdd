import { describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId, type BlobStore, type ListsUploads } from '@openregistry/core'
import { bytesOf, reusing } from './content.ts'
import { keysOf } from './listing.ts'

/** What a store promises that has the ability `ListsUploads`. */
export function uploadListingContract(name: string, open: () => Promise<BlobStore & ListsUploads>): void {
  describe(`listing many uploads: ${name}`, () => {
    test('finds the objects of all of them, and no others', async () => {
      await using store = await open()
      const uploads = Array.from({ length: 4 }, () => newUploadId())
      const keys = uploads.flatMap((upload) => [newStorageKey(upload), newStorageKey(upload)])
      for (const key of keys) await store.write(key, reusing(bytesOf(10), 10))
      const wanted = new Set([...uploads.slice(0, 2), newUploadId()])
      expect((await keysOf(store.listUploads(wanted))).toSorted()).toEqual(keys.slice(0, 4).toSorted())
      expect(await keysOf(store.listUploads(new Set()))).toEqual([])
    })
  })
}
