import { expect, test } from 'vitest'
import { lists, newStorageKey, newUploadId } from '@openregistry/core'
import type { BlobStore, Lists, ObjectReader, StorageKey } from '@openregistry/core'
import { bytesOf, collect } from './blob-store-contract/content.ts'
import { faultBlobStore, type BlobFaults } from './fault-blob-store.ts'

const size = 100_000
const chunk = 10_000
const bytes = bytesOf(size)

/** Just enough of a store; drivers are not ours to import. */
class Objects implements BlobStore, Lists {
  readonly backend = 'objects'
  readonly public = false
  readonly #objects = new Map<StorageKey, Uint8Array>()

  async write(key: StorageKey, source: AsyncIterable<Uint8Array>): Promise<{ size: number }> {
    const chunks: Uint8Array[] = []
    for await (const part of source) chunks.push(new Uint8Array(part))
    this.#objects.set(key, new Uint8Array(Buffer.concat(chunks)))
    return { size: Buffer.concat(chunks).length }
  }

  async open(key: StorageKey): Promise<ObjectReader | null> {
    const object = this.#objects.get(key)
    if (object === undefined) return null
    return { size: object.length, chunks: cut(object), [Symbol.asyncDispose]: async () => undefined }
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const object = this.#objects.get(key)
    return object === undefined ? null : { size: object.length }
  }

  async delete(key: StorageKey): Promise<void> {
    this.#objects.delete(key)
  }

  async *list(): AsyncGenerator<StorageKey, void, undefined> {
    yield* this.#objects.keys()
  }

  async check(): Promise<void> {
    // Always fine.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing to end.
  }
}

async function* cut(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += chunk) yield content.slice(at, at + chunk)
}

async function storeWithObject(): Promise<{ store: BlobStore & { faults: BlobFaults }; key: StorageKey }> {
  const store = faultBlobStore(new Objects())
  const key = newStorageKey(newUploadId())
  await store.write(key, cut(bytes))
  return { store, key }
}

async function readAll(store: BlobStore, key: StorageKey): Promise<Uint8Array> {
  await using reader = await store.open(key)
  if (reader === null) throw new Error('no such object')
  return await collect(reader)
}

test('without faults it is the store beneath', async () => {
  const { store, key } = await storeWithObject()
  expect(await readAll(store, key)).toEqual(Buffer.from(bytes))
  expect(await store.stat(key)).toEqual({ size })
  await store.check()
  expect(lists(store)).toBe(true)
})

test('a write that fails leaves nothing', async () => {
  const { store } = await storeWithObject()
  const key = newStorageKey(newUploadId())
  store.faults.failWriteAt = 25_000
  await expect(store.write(key, cut(bytes))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await store.stat(key)).toBeNull()
})

test('a full disk refuses writes, and takes them again when there is space', async () => {
  const { store, key } = await storeWithObject()
  store.faults.fullAfter = size + 5000
  const next = newStorageKey(newUploadId())
  await expect(store.write(next, cut(bytes))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  expect(await readAll(store, key)).toHaveLength(size)
  store.faults.fullAfter = null
  expect(await store.write(next, cut(bytes))).toEqual({ size })
})

test('reads end early, break off, or lie', async () => {
  const { store, key } = await storeWithObject()
  store.faults.endReadAt = 33_333
  expect(await readAll(store, key)).toEqual(Buffer.from(bytes.subarray(0, 33_333)))
  store.faults.endReadAt = null
  store.faults.failReadAt = 33_333
  await expect(readAll(store, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  store.faults.failReadAt = null
  store.faults.wrongByteAt = 33_333
  const wrong = await readAll(store, key)
  const differing = wrong.reduce<number[]>((all, byte, at) => (byte === bytes[at] ? all : [...all, at]), [])
  expect(differing).toEqual([33_333])
})

test('a backend that is away answers nothing, and a gate holds chunks back', async () => {
  const { store, key } = await storeWithObject()
  store.faults.away = true
  await expect(store.open(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await expect(store.stat(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  store.faults.away = false
  const seen: number[] = []
  store.faults.beforeChunk = async (direction, at) => void (direction === 'read' && seen.push(at))
  await readAll(store, key)
  expect(seen).toHaveLength(size / chunk)
  store.faults.failOpen = true
  await expect(store.open(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  store.faults.failDelete = true
  await expect(store.delete(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
})

test('a write whose answer gets lost has stored the object', async () => {
  const { store } = await storeWithObject()
  const key = newStorageKey(newUploadId())
  store.faults.failAfterWrite = true
  await expect(store.write(key, cut(bytes))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await readAll(store, key)).toEqual(Buffer.from(bytes))
})

test('objects are lost, or too short from the beginning', async () => {
  const { store, key } = await storeWithObject()
  store.faults.lost = true
  expect(await store.open(key)).toBeNull()
  expect(await store.stat(key)).toBeNull()
  store.faults.lost = false
  store.faults.shrinkTo = 12_345
  expect(await store.stat(key)).toEqual({ size: 12_345 })
  await using reader = await store.open(key)
  expect(reader?.size).toBe(12_345)
  expect(await readAll(store, key)).toEqual(Buffer.from(bytes.subarray(0, 12_345)))
  await expect(store.open(key, { offset: 12_000, length: 1000 })).rejects.toMatchObject({
    code: 'RANGE_INVALID',
  })
})

test('faults of some objects leave the others alone', async () => {
  const { store, key } = await storeWithObject()
  const sound = newStorageKey(newUploadId())
  await store.write(sound, cut(bytes))
  Object.assign(store.faults, { lost: true, failDelete: true, only: (one: StorageKey) => one === key })
  expect(await store.stat(key)).toBeNull()
  expect(await readAll(store, sound)).toEqual(Buffer.from(bytes))
  await expect(store.delete(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await store.delete(sound)
})

test('a list breaks off, and every operation can be held back', async () => {
  const { store, key } = await storeWithObject()
  if (!lists(store)) throw new Error('no list')
  const keys: StorageKey[] = []
  store.faults.failListAfter = 0
  const broken = async () => {
    for await (const one of store.list('')) keys.push(one)
  }
  await expect(broken()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  store.faults.failListAfter = 1
  await broken()
  expect(keys).toEqual([key])
  const seen: string[] = []
  store.faults.beforeOperation = async (operation) => void seen.push(operation)
  await store.stat(key)
  await readAll(store, key)
  await broken()
  await store.check()
  await store.delete(key)
  await store.write(newStorageKey(newUploadId()), cut(bytes))
  expect(seen).toEqual(['stat', 'open', 'list', 'check', 'delete', 'write'])
})
