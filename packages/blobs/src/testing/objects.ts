import { setImmediate as turn } from 'node:timers/promises'
import {
  newStorageKey,
  newUploadId,
  type BlobStore,
  type ByteRange,
  type StorageKey,
} from '@openregistry/core'
import { randomFrom } from '@openregistry/testkit'

/** A key of an upload of its own. */
export function newKey(): StorageKey {
  return newStorageKey(newUploadId())
}

/** Random bytes, the same for the same size and seed. */
export function bytesOf(size: number, seed = 1): Uint8Array {
  return new Uint8Array(randomFrom(`${size} ${seed}`).bytes(size))
}

/** The bytes in chunks, with a turn of the event loop after each. */
export async function* inChunks(bytes: Uint8Array, size = 256 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size)
    await turn()
  }
}

/** All bytes of an object, or of a range of it. */
export async function read(store: BlobStore, key: StorageKey, range?: ByteRange): Promise<Uint8Array> {
  await using reader = await store.open(key, range)
  if (reader === null) throw new Error(`there is no object ${key}`)
  const chunks: Uint8Array[] = []
  for await (const chunk of reader.chunks) chunks.push(new Uint8Array(chunk))
  return Buffer.concat(chunks)
}

/** Whether an object has these bytes; comparing them one by one would print millions. */
export async function has(store: BlobStore, key: StorageKey, bytes: Uint8Array): Promise<boolean> {
  return Buffer.compare(await read(store, key), bytes) === 0
}
