import { describe, expect, test } from 'vitest'
import type { BlobStore, LayoutBlocks, Lists, PinsLayouts } from '@openregistry/core'
import { sha256Of } from '../metadata-store-contract/content.ts'
import { bytesOf, holds, newKey, reusing } from './content.ts'
import { keysOf } from './listing.ts'

/** Blocks as of a layout, the first of which is its root. */
export function layoutOf(...blocks: Uint8Array[]): LayoutBlocks {
  const shapes = blocks.map((bytes) => ({ sha256: sha256Of(bytes), size: bytes.length }))
  const sizes = shapes.map(({ size }) => size)
  return { root: shapes[0]!.sha256, shapes, read: () => reusing(Buffer.concat(blocks), ...sizes) }
}

/** What a store promises that has the ability `PinsLayouts`. */
export function layoutPinContract(name: string, open: () => Promise<BlobStore & Lists & PinsLayouts>): void {
  describe(`holding layouts: ${name}`, () => {
    test('they are there from when they are pinned until they are let go, and each may be done twice', async () => {
      await using store = await open()
      const [one, other] = [layoutOf(bytesOf(500, 1), bytesOf(700, 2)), layoutOf(bytesOf(500, 3))]
      expect(await store.hasLayout(one.root)).toBe(false)
      for (const layout of [one, one, other]) await store.pinLayout(layout)
      for (const { root } of [one, other]) expect(await store.hasLayout(root)).toBe(true)
      for (const { root } of [one, one]) await store.unpinLayout(root)
      expect(await store.hasLayout(one.root)).toBe(false)
      expect(await store.hasLayout(other.root)).toBe(true)
      await store.unpinLayout(other.root)
    })

    test('they are no objects, and share no fate with one of the same bytes', async () => {
      await using store = await open()
      const [key, bytes] = [newKey(), bytesOf(900, 4)]
      await store.write(key, reusing(bytes, 900))
      const layout = layoutOf(bytes, bytesOf(10, 5))
      await store.pinLayout(layout)
      expect(await keysOf(store.list(''))).toEqual([key])
      await store.unpinLayout(layout.root)
      expect(await holds(store, key, bytes)).toBe(true)
      await store.pinLayout(layout)
      await store.delete(key)
      expect(await store.hasLayout(layout.root)).toBe(true)
      await store.unpinLayout(layout.root)
    })

    test('blocks that are gone before they could be read leave nothing', async () => {
      await using store = await open()
      const layout = layoutOf(bytesOf(500, 6), bytesOf(700, 7))
      const gone = new Error('gone')
      const read = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield bytesOf(500, 6)
        throw gone
      }
      await expect(store.pinLayout({ ...layout, read })).rejects.toThrow()
      expect(await store.hasLayout(layout.root)).toBe(false)
    })
  })
}
