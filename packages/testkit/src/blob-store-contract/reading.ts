import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { collect, bytesOf, expectBytes, newKey, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

const mebi = 1024 * 1024
const openFiles = '/proc/self/fd'

/** How readers behave towards their consumers. */
export function readingTests(open: OpenBlobStore): void {
  describe('reading', () => {
    test('a chunk stays as it is until the next one is asked for', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(5 * mebi + 3)
      await store.write(key, reusing(bytes, mebi))
      await using reader = await store.open(key)
      let at = 0
      for await (const chunk of reader?.chunks ?? []) {
        const here = bytes.subarray(at, at + chunk.length)
        expectBytes(chunk, here)
        // A driver that reads ahead has its next read done by now.
        for (let turns = 0; turns < 20; turns++) await turn()
        await store.stat(key)
        expectBytes(chunk, here)
        at += chunk.length
      }
      expect(at).toBe(bytes.length)
    })

    test('a consumer that leaves early spoils nothing for others', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(3 * mebi)
      await store.write(key, reusing(bytes, mebi))
      const kept: Uint8Array[] = []
      for (let round = 0; round < 3; round++) {
        await using reader = await store.open(key)
        for await (const chunk of reader?.chunks ?? []) {
          kept.push(chunk)
          break
        }
      }
      await using reader = await store.open(key, { offset: mebi, length: mebi })
      if (reader === null) expect.fail('the object is gone')
      expectBytes(await collect(reader), bytes.subarray(mebi, 2 * mebi))
      // What such a consumer held may still be on its way to a client: nobody else writes into it.
      for (const chunk of kept) expectBytes(chunk, bytes.subarray(0, chunk.length))
    })

    test('a reader can be closed unread, and twice', async () => {
      await using store = await open()
      const key = newKey()
      await store.write(key, reusing(bytesOf(1000), 100))
      const reader = await store.open(key)
      await reader?.[Symbol.asyncDispose]()
      await reader?.[Symbol.asyncDispose]()
    })

    test('closing in the middle never looks like the end', async () => {
      await using store = await open()
      const key = newKey()
      await store.write(key, reusing(bytesOf(5 * mebi), mebi))
      const reader = await store.open(key)
      if (reader === null) expect.fail('the object is gone')
      const iterator = reader.chunks[Symbol.asyncIterator]()
      await iterator.next()
      const ahead = iterator.next().then(
        ({ done }) => (done === true ? 'ended' : 'chunk'),
        () => 'failed',
      )
      await reader[Symbol.asyncDispose]()
      expect(await ahead).not.toBe('ended')
    })

    test('an object that is deleted while it is read gives its bytes or an error', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(5 * mebi + 3)
      await store.write(key, reusing(bytes, mebi))
      await using reader = await store.open(key)
      if (reader === null) expect.fail('the object is gone')
      let at = 0
      try {
        for await (const chunk of reader.chunks) {
          if (at === 0) await store.delete(key)
          expectBytes(chunk, bytes.subarray(at, at + chunk.length))
          at += chunk.length
        }
        expect(at).toBe(bytes.length)
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      }
      expect(await store.stat(key)).toBeNull()
    })

    test.skipIf(!existsSync(openFiles))('no way to end a read leaves a file open', async () => {
      await using store = await open()
      const key = newKey()
      await store.write(key, reusing(bytesOf(3 * mebi), mebi))
      const before = (await readdir(openFiles)).length
      for (let round = 0; round < 25; round++) {
        await using unread = await store.open(key)
        const early = await store.open(key)
        for await (const chunk of early?.chunks ?? []) if (chunk.length > 0) break
        const whole = await store.open(key, { offset: 1, length: 10 })
        if (whole !== null) await collect(whole)
        await expect(store.open(key, { offset: -1, length: 1 })).rejects.toThrow()
        expect(unread?.size).toBe(3 * mebi)
      }
      // The runner itself may open a file or two meanwhile; a leak would be 25 or more.
      expect((await readdir(openFiles)).length - before).toBeLessThan(10)
    })
  })
}
