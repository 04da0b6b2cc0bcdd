import { hash } from 'node:crypto'
import {
  carFrameHead,
  carHeader,
  cidParts,
  dagPbCodec,
  encodeCid,
  hashSize,
  rawCodec,
  sha256Code,
  unixfsDagSize,
  unixfsDirectory,
  unixfsLeafSize,
  unixfsLevels,
  unixfsNode,
  unixfsTree,
  type Cid,
} from '@openregistry/dag'
import type { StorageKey } from '@openregistry/core'
import type { Spooled } from './spooled.ts'

/** An object as IPFS has it. */
export interface ObjectDag {
  /** The file. */
  file: Cid
  /** The directory whose only entry is the file, under the key of the object. It is what is pinned. */
  pin: Cid
  /** Of the content, in bytes. */
  size: number
}

/** An object with all its blocks, to be sent. */
export interface WholeObject extends ObjectDag {
  /**
   * The object as a CARv1 with one root, its pin. A chunk is valid until the next one is asked for. Can be asked for again.
   * @throws RegistryError storage faults of where the blocks come from.
   */
  car(order?: CarOrder): AsyncIterable<Uint8Array>
}

/** What comes first in a CAR; its readers do not mind, as a rule. */
export type CarOrder = 'nodes first' | 'leaves first'

/** What a spooled object is made of. */
interface SpooledDag extends ObjectDag {
  content: Spooled
  /** SHA-256 of the nodes of each level above the leaves, level 1 first, packed. */
  nodes: readonly Uint8Array[]
  /** The bytes of the block that `pin` names. */
  directory: Uint8Array
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'))

/**
 * Makes an object of some content. Equal contents are equal files in IPFS, and to unpin one would be to unpin them all; the
 * directory around the file has the key in it, so that every object has a pin that is its own.
 */
export function objectOf(key: StorageKey, content: Spooled): WholeObject {
  const { size, leaves } = content
  const first = size === 0 ? sha256(new Uint8Array()) : leaves.subarray(0, hashSize)
  const { cid: file, nodes } = unixfsTree({ size, leaves, sha256: first }, sha256)
  const entry = { name: key.replace('/', '.'), cid: file, size: unixfsDagSize(size) }
  const { cid: pin, blocks } = unixfsDirectory([entry], sha256)
  const [directory] = blocks
  if (directory === undefined || blocks.length !== 1) throw new RangeError('One entry fits into one block.')
  const object = { file, pin, size, content, nodes, directory: directory.bytes }
  return { file, pin, size, car: (order) => carOf(object, order) }
}

/** There are never more than a leaf and a node in memory. */
async function* carOf(
  object: SpooledDag,
  order: CarOrder = 'nodes first',
): AsyncGenerator<Uint8Array, void, undefined> {
  yield carHeader([object.pin])
  if (order === 'nodes first') yield* nodesOf(object)
  yield* leafFrames(object)
  if (order === 'leaves first') yield* nodesOf(object)
}

/** The blocks above the leaves. */
function* nodesOf(object: SpooledDag): Generator<Uint8Array, void, undefined> {
  const { content, nodes, directory } = object
  yield carFrameHead(encodeCid(cidParts(object.pin)), directory.length)
  yield directory
  const { size, leaves } = content
  for (let level = nodes.length; level >= 1; level--) {
    const hashes = nodes[level - 1]!
    for (let index = 0; index * hashSize < hashes.length; index++) {
      const bytes = unixfsNode({ size, leaves, nodes }, level, index, sha256)
      yield carFrameHead(cidBytes(dagPbCodec, hashAt(hashes, index)), bytes.length)
      yield bytes
    }
  }
}

/** The leaves, each with its head in front of it in one buffer, so that it is one write to the connection. */
async function* leafFrames({ content }: SpooledDag): AsyncGenerator<Uint8Array, void, undefined> {
  const { size, leaves } = content
  if (size === 0) {
    yield carFrameHead(cidBytes(rawCodec, sha256(new Uint8Array())), 0)
    return
  }
  const [count] = unixfsLevels(size)
  let buffer: Uint8Array | null = null
  for (let index = 0; index < count!; index++) {
    const offset = index * unixfsLeafSize
    const length = Math.min(unixfsLeafSize, size - offset)
    const head = carFrameHead(cidBytes(rawCodec, hashAt(leaves, index)), length)
    buffer ??= new Uint8Array(head.length + length)
    const frame: Uint8Array = buffer.subarray(0, head.length + length)
    frame.set(head)
    await content.read(frame.subarray(head.length), offset)
    yield frame
  }
}

function hashAt(packed: Uint8Array, index: number): Uint8Array {
  return packed.subarray(index * hashSize, (index + 1) * hashSize)
}

function cidBytes(codec: number, digest: Uint8Array): Uint8Array {
  return encodeCid({ version: 1, codec, hash: sha256Code, digest })
}
