import { mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { BlobStore, Lists, StorageKey } from '@openregistry/core'
import {
  bytesOf,
  describeWithKubo,
  holds,
  HttpFaultProxy,
  newKey,
  read,
  reusing,
} from '@openregistry/testkit'
import { openKuboBlobStore, type KuboBlobStoreOptions } from './kubo-blob-store.ts'

const mebi = 1024 * 1024
const chunk = 256 * 1024

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

// Nodes start several times in a test.
vi.setConfig({ testTimeout: 120_000 })

/** Long enough for a node that starts beside everything else that a busy machine does. */
const patient = { retryWithin: 60_000 }

describeWithKubo('a Kubo node that', (node) => {
  const open = (options: Partial<KuboBlobStoreOptions> = {}): BlobStore & Lists =>
    openKuboBlobStore({ apiUrl: node().apiUrl, spool, ...options })

  /** Ends the node as a crash does, and starts it again. */
  async function crash(): Promise<void> {
    await node().stop('SIGKILL')
    await node().start()
  }

  /** Runs something, and lets the node crash when a request for this path comes for the first time. */
  async function crashingAt(
    { url, path }: { url: string; path: string },
    run: (proxy: string) => Promise<void>,
  ): Promise<void> {
    await using proxy = await HttpFaultProxy.start(url)
    const crashes: Promise<void>[] = []
    proxy.fault = (request) => {
      if (request.path.startsWith(path) && crashes.length === 0) crashes.push(crash())
      return null
    }
    await run(proxy.url)
    expect(crashes).toHaveLength(1)
    await Promise.all(crashes)
  }

  test('is not there yet takes objects once it is', async () => {
    await node().stop()
    await using store = open(patient)
    const impatient = open({ retryWithin: 0 })
    await expect(impatient.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await impatient[Symbol.asyncDispose]()
    const [key, bytes] = [newKey(), bytesOf(3 * mebi)]
    const writing = store.write(key, reusing(bytes, chunk))
    await node().start()
    await writing
    expect(await holds(store, key, bytes)).toBe(true)
    await store.delete(key)
  })

  test.each(['/api/v0/pin/ls', '/api/v0/pin/add', '/api/v0/dag/import'])(
    'crashes during a write, at %s, and comes back: the write goes on',
    async (path) => {
      const [key, bytes] = [newKey(), bytesOf(40 * mebi + 1)]
      await crashingAt({ url: node().apiUrl, path }, async (apiUrl) => {
        await using store = open({ apiUrl, gatewayUrl: node().gatewayUrl, ...patient })
        await store.write(key, reusing(bytes, chunk))
      })
      await using store = open(patient)
      expect(await holds(store, key, bytes)).toBe(true)
      await store.delete(key)
    },
  )

  test('crashes during a read, and comes back: the read goes on', async () => {
    await using store = open(patient)
    const [key, bytes] = [newKey(), bytesOf(40 * mebi + 1)]
    await store.write(key, reusing(bytes, chunk))
    await crashingAt({ url: node().gatewayUrl, path: '/ipfs/' }, async (gatewayUrl) => {
      await using other = open({ gatewayUrl, ...patient })
      expect(await holds(other, key, bytes)).toBe(true)
    })
    await store.delete(key)
  })

  test('crashes after a write has all of it', async () => {
    await using store = open(patient)
    for (let round = 0; round < 3; round++) {
      const [key, bytes] = [newKey(), bytesOf(5 * mebi + round, round)]
      await store.write(key, reusing(bytes, chunk))
      await crash()
      expect(await holds(store, key, bytes)).toBe(true)
      expect(await Array.fromAsync(store.list(key))).toEqual([key])
      await store.delete(key)
      expect(await store.stat(key)).toBeNull()
    }
  })

  test('stands still is not waited for, and is used again when it goes on', async () => {
    await using store = open({ timeout: 500, retryWithin: 200 })
    const [key, bytes] = [newKey(), bytesOf(2 * mebi)]
    await store.write(key, reusing(bytes, chunk))
    node().pause()
    try {
      await expect(store.stat(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      await expect(store.write(newKey(), reusing(bytes, chunk))).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      })
    } finally {
      node().resume()
    }
    expect(await holds(store, key, bytes)).toBe(true)
    await store.delete(key)
  })

  test('collects its garbage all the time loses nothing that a write has resolved for', async () => {
    await using store = open(patient)
    const objects = new Map<StorageKey, Uint8Array>()
    let writing = true
    const collecting = (async () => {
      let collections = 0
      for (; writing; collections++) await node().collectGarbage()
      return collections
    })()
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let round = 0; round < 4; round++) {
        const [key, bytes] = [newKey(), bytesOf(round * mebi + 300_000, writer)]
        await store.write(key, reusing(bytes, chunk))
        objects.set(key, bytes)
        // Others of the same content come and go.
        const twin = newKey()
        await store.write(twin, reusing(bytes, chunk))
        await store.delete(twin)
      }
    })
    await Promise.all(writers).finally(() => (writing = false))
    expect(await collecting).toBeGreaterThan(1)
    await node().collectGarbage()
    for (const [key, bytes] of objects) expect(await holds(store, key, bytes)).toBe(true)
    for (const key of objects.keys()) await store.delete(key)
    expect(await Array.fromAsync(store.list(''))).toEqual([])
  })

  test('has equal content in two objects keeps it until the last of them is deleted', async () => {
    await using store = open(patient)
    await node().collectGarbage()
    const before = await node().blocks()
    const bytes = bytesOf(3 * mebi + 7, 123)
    const [one, other] = [newKey(), newKey()]
    await store.write(one, reusing(bytes, chunk))
    await store.write(other, reusing(bytes, chunk))
    await store.delete(one)
    await node().collectGarbage()
    expect(await store.stat(one)).toBeNull()
    expect(await holds(store, other, bytes)).toBe(true)
    await store.delete(other)
    await node().collectGarbage()
    expect(await node().blocks()).toBe(before)
  })

  describe('lost blocks', () => {
    test('of the root says that the object is not there', async () => {
      await using store = open({ timeout: 2000, retryWithin: 0 })
      const [key, bytes] = [newKey(), bytesOf(mebi, 1234)]
      await store.write(key, reusing(bytes, chunk))
      await loseBlock(node().folder, bytes)
      await crash()
      expect(await store.stat(key)).toBeNull()
      expect(await store.open(key)).toBeNull()
      await store.delete(key)
      expect(await Array.fromAsync(store.list(key))).toEqual([])
    })

    test('of a leaf fails in time, for Kubo would wait for ever', async () => {
      await using store = open({ timeout: 2000, retryWithin: 0 })
      const [key, bytes] = [newKey(), bytesOf(6 * mebi, 2345)]
      await store.write(key, reusing(bytes, chunk))
      await loseBlock(node().folder, bytes.subarray(4 * mebi, 5 * mebi))
      await crash()
      expect(await store.stat(key)).toEqual({ size: bytes.length })
      await expect(read(store, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      await store.delete(key)
    })
  })
})

/** Deletes the file in which a node keeps a block: every block is one, with its bytes and nothing else. */
async function loseBlock(folder: string, block: Uint8Array): Promise<void> {
  for (const entry of await readdir(join(folder, 'blocks'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || (await stat(path)).size !== block.length) continue
    if (Buffer.compare(await readFile(path), block) === 0) return await unlink(path)
  }
  throw new Error('the node has no such block')
}
