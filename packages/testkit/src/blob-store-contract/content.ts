import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'vitest'
import { lists, newStorageKey, newUploadId } from '@openregistry/core'
import { randomFrom } from '../images/random.ts'
import type { BlobStore, ObjectReader, StorageKey } from '@openregistry/core'

/** Random bytes, the same for the same size and seed, so that a piece in the wrong place shows. */
export function bytesOf(size: number, seed = 1): Uint8Array {
  return new Uint8Array(randomFrom(seed).bytes(size))
}

/** A key of an upload of its own. */
export function newKey(): StorageKey {
  return newStorageKey(newUploadId())
}

/**
 * The bytes in chunks of the given sizes (taken in turn, the last one again and again), all in one buffer that is
 * overwritten as soon as the next chunk is asked for, as the contract allows.
 */
export async function* reusing(
  bytes: Uint8Array,
  ...sizes: number[]
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(Math.max(...sizes, 1))
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const wanted = sizes[Math.min(index, sizes.length - 1)] ?? 65_536
    const chunk = bytes.subarray(at, at + wanted)
    buffer.set(chunk)
    at += chunk.length
    yield buffer.subarray(0, chunk.length)
    buffer.fill(0xee)
    await turn()
  }
}

/** Everything a reader gives. */
export async function collect(reader: ObjectReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of reader.chunks) chunks.push(new Uint8Array(chunk))
  return Buffer.concat(chunks)
}

/** The bytes of an object, whole or a range of it. */
export async function read(
  store: BlobStore,
  key: StorageKey,
  ...range: Parameters<BlobStore['open']> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Uint8Array> {
  await using reader = await store.open(key, ...range)
  if (reader === null) throw new Error(`there is no object ${key}`)
  return await collect(reader)
}

/** Whether an object has these bytes and no others. */
export async function holds(store: BlobStore, key: StorageKey, bytes: Uint8Array): Promise<boolean> {
  return Buffer.compare(await read(store, key), bytes) === 0
}

/** Expects the same bytes. `toEqual` compares element by element and prints millions of them. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  if (Buffer.compare(actual, expected) === 0) return
  const at = actual.findIndex((byte, index) => byte !== expected[index])
  expect.fail(`the bytes differ from offset ${at} on`)
}

/** Expects that no trace of an object is left. */
export async function expectNothing(store: BlobStore, key: StorageKey): Promise<void> {
  expect(await store.stat(key)).toBeNull()
  expect(await store.open(key)).toBeNull()
  if (!lists(store)) return
  for await (const listed of store.list('')) expect(listed).not.toBe(key)
}
