import { RegistryError } from '@openregistry/oci'
import type { ByteRange } from '../ports/blob-store.ts'
import { leafSize, type ContentHasher } from '../ports/content-hasher.ts'
import type { MetadataStore } from '../ports/metadata-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import { pieces } from '../push/pieces.ts'
import { ExpectedHashes } from './expected-hashes.ts'

/** A part of an object, and what it is a part of. */
export interface Span {
  place: { backend: string; key: StorageKey }
  /** Of the whole object. */
  size: number
  range: ByteRange
}

/** What {@link verifiedLeaves} compares with. */
export interface Verifying {
  hasher: ContentHasher
  metadata: Pick<MetadataStore, 'readLeaves'>
}

/** A leaf that cannot be given to anyone. `damaged`: it has other bytes. `missing`: its object is no good location any more. */
export class UnverifiedLeaf extends RegistryError {
  readonly found: 'damaged' | 'missing'

  constructor(found: 'damaged' | 'missing', cause: string) {
    super('STORAGE_UNAVAILABLE', 'The content of the blob is damaged; push it again.', { cause })
    this.found = found
  }
}

/** The range widened to whole leaves, since only those have hashes. */
export function wholeLeaves({ offset, length }: ByteRange, size: number): ByteRange {
  if (length === 0) return { offset, length }
  const begin = Math.floor(offset / leafSize) * leafSize
  const end = Math.min(size, Math.ceil((offset + length) / leafSize) * leafSize)
  return { offset: begin, length: end - begin }
}

/**
 * The bytes of a range out of those of {@link wholeLeaves}, each leaf given only when its hash is right. While one is with
 * the consumer, the next one is hashed and the one after it arrives.
 *
 * @param chunks what the backend gives of the whole leaves. A chunk that comes out is valid until the next one is asked for.
 * @throws UnverifiedLeaf; RegistryError `STORAGE_UNAVAILABLE` when there are fewer or more bytes, which says nothing of the
 * object; whatever `chunks` throws.
 */
export async function* verifiedLeaves(
  chunks: AsyncIterable<Uint8Array>,
  { place, size, range }: Span,
  { hasher, metadata }: Verifying,
): AsyncGenerator<Uint8Array, void, undefined> {
  const whole = wholeLeaves(range, size)
  const first = whole.offset / leafSize
  const end = Math.ceil((whole.offset + whole.length) / leafSize)
  const hashes = new ExpectedHashes(metadata, place, { first, end })
  let begun = first
  const update = async (leaf: Uint8Array): Promise<void> => {
    const index = begun++
    const length = Math.min(leafSize, size - index * leafSize)
    if (index >= end || leaf.length !== length) throw wrongLength(place.key, index * leafSize + leaf.length)
    const [hash, expected] = await Promise.all([hasher.hashLeaf(leaf), hashes.at(index)])
    if (expected === null) throw new UnverifiedLeaf('missing', `${place.key} is no good location any more`)
    if (equal(hash, expected)) return
    throw new UnverifiedLeaf('damaged', `${place.key}: the leaf at ${index * leafSize} has other bytes`)
  }
  let at = whole.offset
  for await (const leaf of pieces(chunks, { hasher, run: { update }, checked: true, limit: 0 })) {
    yield leaf.subarray(Math.max(0, range.offset - at), range.offset + range.length - at)
    at += leaf.length
  }
  if (at !== whole.offset + whole.length) throw wrongLength(place.key, at)
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

/** Too few bytes are what a broken connection leaves, and no proof against the object. */
function wrongLength(key: StorageKey, at: number): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: `${key} came to its end at ${at}` })
}
