/*
 * The bytes of UnixFS file nodes, written by hand. A node of this profile has one shape (links without names, a type, a
 * size, the sizes of its children) and 1024 of them are made for a tebibyte; general encoders want an object for every
 * link, which costs ten times as much and says less about what is on the wire. Tests compare with `@ipld/dag-pb`.
 *
 *   PBNode   Links (2, repeated) first, then Data (1): the order of canonical dag-pb
 *   PBLink   Hash (1) the 36 bytes of a CID, Name (2) empty but present, Tsize (3)
 *   Data     Type (1) = File, filesize (3), blocksizes (4, repeated, not packed)
 */
import { dagPbCodec, rawCodec, sha256Code } from './cid.ts'
import { hashSize } from './unixfs-shape.ts'
import type { BlockSizes, Children } from './unixfs-shape.ts'
import { varintSize, writeVarint } from './varint.ts'

const cidSize = 4 + hashSize
const linkTag = 0x12
const dataTag = 0x0a
const fileType = [0x08, 0x02]
const fileSizeTag = 0x18
const blockSizeTag = 0x20

/** Bytes of a PBLink without its tag and length: Hash, empty Name, Tsize. */
function linkSize(child: BlockSizes): number {
  return 2 + cidSize + 2 + 1 + varintSize(child.total)
}

/** Bytes of content under a node with these children. */
export function fileSize({ count, full, last }: Children): number {
  return (count - 1) * full.file + last.file
}

/** Bytes of the UnixFS Data message of a node. */
function dataSize(children: Children): number {
  const { count, full, last } = children
  const blocks = (count - 1) * (1 + varintSize(full.file)) + 1 + varintSize(last.file)
  return fileType.length + 1 + varintSize(fileSize(children)) + blocks
}

/** Bytes of the encoded node, without encoding it. */
export function nodeSize(children: Children): number {
  const { count, full, last } = children
  const framed = (size: number): number => 1 + varintSize(size) + size
  return (count - 1) * framed(linkSize(full)) + framed(linkSize(last)) + framed(dataSize(children))
}

/**
 * Encodes a node into the start of `target` (of {@link nodeSize} at least).
 * @param hashes SHA-256 of the children, packed.
 * @param level of the node; the children of level 1 are raw leaves.
 * @returns the part that was written.
 */
export function encodeNode(
  target: Uint8Array,
  hashes: Uint8Array,
  children: Children,
  level: number,
): Uint8Array {
  const codec = level === 1 ? rawCodec : dagPbCodec
  const { count, full, last } = children
  let at = 0
  for (let i = 0; i < count; i++) {
    const child = i === count - 1 ? last : full
    target[at++] = linkTag
    at = writeVarint(target, at, linkSize(child))
    target[at++] = 0x0a
    target[at++] = cidSize
    target[at++] = 1
    target[at++] = codec
    target[at++] = sha256Code
    target[at++] = hashSize
    for (let byte = i * hashSize; byte < (i + 1) * hashSize; byte++) target[at++] = hashes[byte]!
    target[at++] = 0x12
    target[at++] = 0
    target[at++] = 0x18
    at = writeVarint(target, at, child.total)
  }
  target[at++] = dataTag
  at = writeVarint(target, at, dataSize(children))
  for (const byte of fileType) target[at++] = byte
  target[at++] = fileSizeTag
  at = writeVarint(target, at, fileSize(children))
  for (let i = 0; i < count; i++) {
    target[at++] = blockSizeTag
    at = writeVarint(target, at, (i === count - 1 ? last : full).file)
  }
  return target.subarray(0, at)
}
