import type { ContentHasher, ObjectReader } from '@openregistry/core'
import { sameBytes } from '@openregistry/dag'
import type { LentBlock } from '../block-view.ts'
import type { BlockMemory } from './block-memory.ts'
import { hasSha256 } from './has-sha256.ts'
import { readInto } from './open-place.ts'

/** Bytes that are hashed at once, in memory of their own: the trip to a thread would take longer. */
const atOnce = 64 * 1024

/** What reads leaves. */
export interface LeafReading {
  hasher: Pick<ContentHasher, 'hashLeaf'>
  /** For large leaves: a megabyte of new memory for each costs more than its hash. */
  memory: BlockMemory
}

/**
 * Reads a leaf and compares it.
 * @param length of the leaf, which is all that the reader has.
 * @returns null when it has other bytes.
 * @throws RegistryError as {@link readInto}.
 */
export async function readVerified(
  reader: ObjectReader,
  length: number,
  sha256: Uint8Array,
  { hasher, memory }: LeafReading,
): Promise<LentBlock | null> {
  if (length <= atOnce) {
    const bytes = new Uint8Array(length)
    await readInto(bytes, reader)
    return hasSha256(bytes, sha256) ? { bytes, release: null } : null
  }
  const piece = memory.take()
  let isLent = true
  const release = (): void => {
    if (isLent) memory.give(piece)
    isLent = false
  }
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
