import type { ContentHasher, ObjectReader } from '@openregistry/core'
import { sameBytes } from '@openregistry/dag'
import type { LentBlock } from '../block-view.ts'
import { hasSha256 } from './has-sha256.ts'
import { readInto } from './open-place.ts'

/** Bytes that are hashed at once, in memory of their own: the trip to a thread would take longer. */
const atOnce = 64 * 1024

/**
 * Reads a leaf and compares it. A large one lies in a piece of the hasher, which its threads see without a copy: a megabyte of new
 * memory for each block costs more than its hash.
 * @param length of the leaf, which is all that the reader has.
 * @returns null when it has other bytes.
 * @throws RegistryError as {@link readInto}.
 */
export async function readVerified(
  reader: ObjectReader,
  length: number,
  sha256: Uint8Array,
  hasher: ContentHasher,
): Promise<LentBlock | null> {
  if (length <= atOnce) {
    const bytes = new Uint8Array(length)
    await readInto(bytes, reader)
    return hasSha256(bytes, sha256) ? { bytes, release: null } : null
  }
  const piece = hasher.acquire()
  const release = (): void => hasher.release(piece)
  const bytes = piece.subarray(0, length)
  try {
    await readInto(bytes, reader)
    if (sameBytes(await hasher.hashLeaf(bytes), sha256)) return { bytes, release }
  } catch (error) {
    release()
    throw error
  }
  release()
  return null
}
