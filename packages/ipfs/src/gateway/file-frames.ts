import type { ByteRange, ObjectReader } from '@openregistry/core'
import {
  carFrameHead,
  dagPbCodec,
  encodeCid,
  hashSize,
  rawCodec,
  sha256Code,
  unixfsBlocks,
  unixfsLeafSize,
  unixfsNode,
  type UnixfsPlace,
} from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { FileView } from '../block-view.ts'
import { sha256 as hash } from '../sha256.ts'

/** Which blocks of a file are sent. */
export interface FileFrames {
  /** Bytes of the file that have to be readable by them. */
  range: ByteRange
  /** Whether a block has to be sent; asked once for each place in the tree. */
  wanted(codec: number, sha256: Uint8Array): boolean
}

/**
 * Blocks of a stored blob as they stand in a CAR, depth first: nodes are derived, leaves are cut out of one pass over the
 * blob. Chunks are valid until the next one is asked for; memory is one node and what the reader holds.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when the blob ends early.
 */
export async function* fileFrames(
  file: FileView,
  { range, wanted }: FileFrames,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using bytes = new SequentialReader(file, Math.min(file.size, endOfLeaves(range)))
  for (const place of unixfsBlocks(file.size, range)) {
    const sha256 = hashAt(file, place)
    const codec = place.level === 0 ? rawCodec : dagPbCodec
    if (!wanted(codec, sha256)) continue
    const cid = encodeCid({ version: 1, codec, hash: sha256Code, digest: sha256 })
    if (place.level > 0) {
      const node = unixfsNode(file, place.level, place.index, hash)
      yield carFrameHead(cid, node.length)
      yield node
      continue
    }
    const offset = place.index * unixfsLeafSize
    const length = Math.min(unixfsLeafSize, file.size - offset)
    // A blob that cannot be opened is noticed before anything of it is announced.
    if (length > 0) await bytes.seek(offset)
    yield carFrameHead(cid, length)
    yield* bytes.read(length)
  }
}

function endOfLeaves({ offset, length }: ByteRange): number {
  return Math.max(1, Math.ceil((offset + length) / unixfsLeafSize)) * unixfsLeafSize
}

function hashAt({ size, leaves, nodes }: FileView, { level, index }: UnixfsPlace): Uint8Array {
  if (size === 0) return hash(new Uint8Array())
  const packed = level === 0 ? leaves : nodes[level - 1]!
  return packed.subarray(index * hashSize, (index + 1) * hashSize)
}

/** Reads rising parts of a blob; parts that touch come out of one reader. */
class SequentialReader implements AsyncDisposable {
  readonly #file: FileView
  readonly #end: number
  #reader: ObjectReader | null = null
  #chunks: AsyncIterator<Uint8Array> | null = null
  #rest: Uint8Array = new Uint8Array()
  #at = -1

  /** @param end where the last part that will be asked for ends. */
  constructor(file: FileView, end: number) {
    this.#file = file
    this.#end = end
  }

  /** Goes to where the next part begins. */
  async seek(offset: number): Promise<void> {
    if (offset === this.#at) return
    await this[Symbol.asyncDispose]()
    this.#rest = new Uint8Array()
    this.#reader = await this.#file.open({ offset, length: this.#end - offset })
    this.#chunks = this.#reader.chunks[Symbol.asyncIterator]()
    this.#at = offset
  }

  async *read(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0;) {
      if (this.#rest.length === 0) await this.#fill()
      const part = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(part.length)
      left -= part.length
      yield part
    }
    this.#at += length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [chunks, reader] = [this.#chunks, this.#reader]
    this.#chunks = null
    this.#reader = null
    try {
      await chunks?.return?.()
    } finally {
      await reader?.[Symbol.asyncDispose]()
    }
  }

  async #fill(): Promise<void> {
    const next = await this.#chunks!.next()
    if (next.done === true) {
      throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
        cause: 'The blob ended before its last leaf.',
      })
    }
    this.#rest = next.value
  }
}
