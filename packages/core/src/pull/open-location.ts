import { isTrusted, type ByteRange, type ObjectReader } from '../ports/blob-store.ts'
import type { BlobLocation, MetadataStore } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { openObject } from './open-object.ts'
import { UnverifiedLeaf, verifiedLeaves, wholeLeaves } from './verified-leaves.ts'

/** The location of an object. */
export type ObjectLocation = Extract<BlobLocation, { kind: 'object' }>

/** How much of which blob to read. */
export interface LocatedRange {
  location: ObjectLocation
  /** Of the blob. */
  size: number
  /** Lies within the blob; null: all of it. */
  range: ByteRange | null
}

/** What {@link openLocation} stands on. */
export interface OpenLocationPorts extends Pick<Ports, 'backends' | 'hasher'> {
  metadata: Pick<MetadataStore, 'readLeaves' | 'recordDamage'>
}

/**
 * Opens the object of a blob, so that nothing but bytes of that blob ever comes out of it. A trusted backend is read as it
 * is; every leaf of another one is compared with its hash first, the first leaf before this resolves. A wrong leaf later on
 * is marked, and ends the chunks with an error.
 *
 * @returns `missing` or `damaged` when there is nothing to read, for the caller to mark and to look elsewhere.
 * @throws RegistryError `STORAGE_UNAVAILABLE`.
 */
export async function openLocation(
  ports: OpenLocationPorts,
  { location, size, range }: LocatedRange,
): Promise<ObjectReader | 'missing' | 'damaged'> {
  const store = backendNamed(ports, location.backend)
  if (isTrusted(store)) return openObject(store, location.key, size, range ?? undefined)
  const wanted = range ?? { offset: 0, length: size }
  const whole = wholeLeaves(wanted, size)
  const reader = await openObject(store, location.key, size, whole.length === size ? undefined : whole)
  if (typeof reader === 'string') return reader
  const { backend, key } = location
  const leaves = verifiedLeaves(reader.chunks, { place: { backend, key }, size, range: wanted }, ports)
  try {
    const head = await leaves.next()
    return new VerifiedReader(size, { leaves, marking: marking(ports, location, head, leaves) }, reader)
  } catch (error) {
    await reader[Symbol.asyncDispose]()
    if (error instanceof UnverifiedLeaf) return error.found
    throw error
  }
}

/** Leaves, the first of which was taken already; a wrong one among the others is marked. */
async function* marking(
  { metadata }: OpenLocationPorts,
  at: ObjectLocation,
  head: IteratorResult<Uint8Array, void>,
  leaves: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (head.done === true) return
    yield head.value
    yield* leaves
  } catch (error) {
    if (error instanceof UnverifiedLeaf && error.found === 'damaged') {
      // Without a database nothing is marked; whoever reads it next meets the same leaf.
      await metadata.recordDamage({ state: 'damaged', at }).catch(() => undefined)
    }
    throw error
  }
}

/** Leaves, and what gives them to the consumer. */
interface Chunks {
  leaves: AsyncGenerator<Uint8Array, void, undefined>
  marking: AsyncGenerator<Uint8Array, void, undefined>
}

/** What was verified of an object, and the object. */
class VerifiedReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly #chunks: Chunks
  readonly #object: ObjectReader

  constructor(size: number, chunks: Chunks, object: ObjectReader) {
    this.size = size
    this.chunks = chunks.marking
    this.#chunks = chunks
    this.#object = object
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The object first: what still waits for its bytes is told so. Both generators, since the outer one may not have begun.
    await this.#object[Symbol.asyncDispose]()
    await this.#chunks.marking.return()
    await this.#chunks.leaves.return()
  }
}
