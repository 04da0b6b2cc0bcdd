/*
 * What UnixFS keeps in the data of a dag-pb node (specs.ipfs.tech, "UnixFS"):
 *
 *   Type (1), Data (2), filesize (3), blocksizes (4, repeated), hashType (5), fanout (6), mode (7), mtime (8)
 */
import { decodeDagPb, type DagPbLink } from './dag-pb.ts'
import { NodeError } from './node-error.ts'
import { protobufFields, wireType } from './protobuf.ts'
import { readVarint } from './varint.ts'

/** Values of `Type`. */
const dataTypes = { raw: 0, directory: 1, file: 2, metadata: 3, symlink: 4, shard: 5 } as const

/** `hashType` of shards: murmur3-x64-64. */
export const murmurCode = 0x22

/** Children of a shard that are read; writers make 256. */
const maxFanout = 1024

/** A dag-pb node as UnixFS means it. */
export type UnixfsNode = { readonly links: Iterable<DagPbLink> } & (
  | {
      readonly kind: 'file'
      /** Bytes of content under this node. */
      readonly size: number
      /** Content in the node itself, in front of that of its children. */
      readonly data: Uint8Array
      /** Bytes of content under each child. */
      readonly blockSizes: readonly number[]
    }
  | { readonly kind: 'directory' }
  /** A node of a directory that is spread over many (HAMT): links begin with the number of their slot. */
  | { readonly kind: 'shard'; readonly fanout: number }
  | { readonly kind: 'symlink' }
  /** A node that is no UnixFS: its links lead somewhere, and that is all that is known. */
  | { readonly kind: 'other' }
)

/**
 * Reads a block of codec dag-pb.
 * @throws NodeError when it is no dag-pb node, or a UnixFS node that contradicts itself.
 */
export function decodeUnixfs(bytes: Uint8Array): UnixfsNode {
  const { links, data } = decodeDagPb(bytes)
  const fields = data === null ? null : readData(data)
  if (fields === null) return { kind: 'other', links }
  switch (fields.type) {
    case dataTypes.raw:
    case dataTypes.file:
      return fileOf(fields, links)
    case dataTypes.directory:
      return { kind: 'directory', links }
    case dataTypes.shard:
      return { kind: 'shard', fanout: fanoutOf(fields), links }
    case dataTypes.symlink:
      return { kind: 'symlink', links }
    default:
      return { kind: 'other', links }
  }
}

interface DataFields {
  type: number
  data: Uint8Array
  size: number | null
  blockSizes: number[]
  hash: number | null
  fanout: number | null
}

/** The fields of the message, or null when it is another message: dag-pb was there before UnixFS. */
function readData(message: Uint8Array): DataFields | null {
  const read: DataFields = {
    ...{ type: -1, data: new Uint8Array(), size: null, blockSizes: [], hash: null, fanout: null },
  }
  try {
    for (const { number, wire, value, bytes } of protobufFields(message)) {
      const isNumber = wire === wireType.varint
      if (number === 1 && isNumber) read.type = value
      else if (number === 2 && wire === wireType.bytes) read.data = bytes
      else if (number === 3 && isNumber) read.size = value
      else if (number === 4 && isNumber) read.blockSizes.push(value)
      else if (number === 4 && wire === wireType.bytes)
        for (const size of packedNumbers(bytes)) read.blockSizes.push(size)
      else if (number === 5 && isNumber) read.hash = value
      else if (number === 6 && isNumber) read.fanout = value
    }
  } catch (error) {
    if (error instanceof NodeError) return null
    throw error
  }
  return read.type < 0 ? null : read
}

/** Numbers of a repeated field that are written without a tag each, as some encoders do. */
function* packedNumbers(bytes: Uint8Array): Generator<number, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const found = readVarint(bytes, at)
    if (typeof found === 'string') throw new NodeError(`Not a node: a number in it is ${found}.`)
    yield found.value
    at = found.end
  }
}

function fileOf({ data, size, blockSizes }: DataFields, links: Iterable<DagPbLink>): UnixfsNode {
  const children = countOf(links)
  if (blockSizes.length !== children) {
    throw new NodeError(`A file has ${children} children, and sizes of ${blockSizes.length}.`)
  }
  const sum = blockSizes.reduce((total, block) => total + block, data.length)
  if (size !== null && size !== sum) throw new NodeError(`A file of ${size} bytes has parts of ${sum} bytes.`)
  return { kind: 'file', size: sum, data, blockSizes, links }
}

function countOf(links: Iterable<DagPbLink>): number {
  let count = 0
  for (const _ of links) count++
  return count
}

function fanoutOf({ fanout, hash }: DataFields): number {
  if (hash !== murmurCode)
    throw new NodeError('A shard of a directory uses a hash function that is not read here.')
  if (fanout === null || fanout < 8 || fanout > maxFanout || !Number.isInteger(Math.log2(fanout))) {
    throw new NodeError('A shard of a directory has an impossible number of slots.')
  }
  return fanout
}

/** The message of a directory in one node. */
export const directoryData = Uint8Array.of(0x08, dataTypes.directory)

/**
 * The message of a shard.
 * @param slots which of its slots are taken, as a bit field whose first bits are in its last byte.
 */
export function shardData(slots: Uint8Array, fanout: number): Uint8Array {
  const numbers = [0x08, dataTypes.shard, 0x12, slots.length, ...slots, 0x28, murmurCode, 0x30]
  const high = fanout >> 7
  return Uint8Array.from(high === 0 ? [...numbers, fanout] : [...numbers, (fanout & 0x7f) | 0x80, high])
}
