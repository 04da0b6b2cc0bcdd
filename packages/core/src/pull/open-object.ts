import { RegistryError } from '@openregistry/oci'
import type { BlobStore, ByteRange, ObjectReader } from '../ports/blob-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'

/**
 * Opens an object that should have `size` bytes, whole or a range that lies within it. Headers are sent before the bytes, so
 * an object of another size has to be noticed here.
 * @returns what is wrong with it, if something is.
 * @throws RegistryError `STORAGE_UNAVAILABLE`.
 */
export async function openObject(
  store: BlobStore,
  key: StorageKey,
  size: number,
  range: ByteRange | undefined,
): Promise<ObjectReader | 'missing' | 'damaged'> {
  try {
    const reader = await store.open(key, range)
    if (reader === null) return 'missing'
    if (reader.size === size) return reader
    await reader[Symbol.asyncDispose]()
    return 'damaged'
  } catch (error) {
    // The range lies within the blob, so it is the object that is too short.
    if (error instanceof RegistryError && error.code === 'RANGE_INVALID') return 'damaged'
    throw error
  }
}
