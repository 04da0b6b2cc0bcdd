import { describe, expect, test } from 'vitest'
import {
  keepsIdentity,
  lists,
  newBackendIdentity,
  type BlobStore,
  type KeepsIdentity,
} from '@openregistry/core'
import { bytesOf, newKey, read, expectBytes, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

/** The ability `KeepsIdentity`, of the stores that have it. */
export function identityTests(open: OpenBlobStore): void {
  const withStore = async (
    skip: (note: string) => void,
    body: (store: BlobStore & KeepsIdentity) => Promise<void>,
  ): Promise<void> => {
    await using store = await open()
    if (!keepsIdentity(store)) return skip('the store keeps no identity')
    await body(store)
  }

  describe('an identity', () => {
    test('is none at first, and the first one that is claimed', async ({ skip }) => {
      await withStore(skip, async (store) => {
        const [first, second] = [newBackendIdentity(), newBackendIdentity()]
        expect(await store.readIdentity()).toBeNull()
        expect(await store.claim(first)).toBe(first)
        expect(await store.claim(second)).toBe(first)
        expect(await store.claim(first)).toBe(first)
        expect(await store.readIdentity()).toBe(first)
      })
    })

    test('is one, whoever claims at the same moment', async ({ skip }) => {
      await withStore(skip, async (store) => {
        const told = await Promise.all(Array.from({ length: 6 }, () => store.claim(newBackendIdentity())))
        expect(new Set(told)).toStrictEqual(new Set([await store.readIdentity()]))
      })
    })

    test('can be replaced, also where there is none', async ({ skip }) => {
      await withStore(skip, async (store) => {
        for (const identity of [newBackendIdentity(), newBackendIdentity()]) {
          await store.reclaim(identity)
          expect(await store.readIdentity()).toBe(identity)
        }
      })
    })

    test('is no object, and touches none', async ({ skip }) => {
      await withStore(skip, async (store) => {
        const key = newKey()
        const bytes = bytesOf(1000)
        await store.claim(newBackendIdentity())
        await store.write(key, reusing(bytes, 100))
        await store.reclaim(newBackendIdentity())
        expectBytes(await read(store, key), bytes)
        if (lists(store)) expect(await Array.fromAsync(store.list(''))).toStrictEqual([key])
        await store.check()
      })
    })

    test('has a place that people can find', async ({ skip }) => {
      await withStore(skip, async (store) => {
        expect(store.place).toMatch(/^the \S+ \S+/)
      })
    })
  })
}
