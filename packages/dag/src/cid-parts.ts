import { base32 } from 'multiformats/bases/base32'
import { CidError, dagPbCodec, sha256Code, type Cid } from './cid.ts'
import { hashSize } from './unixfs-shape.ts'
import { readVarint, varintSize, writeVarint } from './varint.ts'

/** A CID taken apart, as blocks and CAR files hold it: they have the bytes, never the text. */
export interface CidParts {
  /** Version 0 is an older way to write a dag-pb node with SHA-256. */
  readonly version: 0 | 1
  /** What the block is, by the multicodec table. */
  readonly codec: number
  /** The hash function, by the same table. */
  readonly hash: number
  readonly digest: Uint8Array
}

/** The hash "function" whose digest is the content itself. */
export const identityCode = 0x00

/** Bytes of the longest digest that is read. Identity CIDs are as long as their content, so there has to be an end. */
export const maxDigestSize = 128

/** Bytes of the longest CID with such a digest. */
export const maxCidSize = 4 * 8 + maxDigestSize

/**
 * Reads the CID that some bytes begin with.
 * @returns its parts, whose digest is a view of the bytes, and how many bytes it takes.
 * @throws CidError when there is none, or its digest is longer than {@link maxDigestSize}.
 */
export function decodeCid(bytes: Uint8Array): { cid: CidParts; size: number } {
  if (bytes[0] === sha256Code && bytes[1] === hashSize) {
    const size = 2 + hashSize
    return {
      cid: { version: 0, codec: dagPbCodec, hash: sha256Code, digest: digestOf(bytes, 2, size) },
      size,
    }
  }
  const version = read(bytes, 0)
  if (version.value !== 1) throw new CidError(`There is no version ${version.value} of CIDs.`)
  const codec = read(bytes, version.end)
  const hash = read(bytes, codec.end)
  const length = read(bytes, hash.end)
  if (length.value > maxDigestSize) {
    throw new CidError(`The digest of a CID has at most ${maxDigestSize} bytes, not ${length.value}.`)
  }
  const size = length.end + length.value
  const digest = digestOf(bytes, length.end, size)
  return { cid: { version: 1, codec: codec.value, hash: hash.value, digest }, size }
}

function read(bytes: Uint8Array, at: number): { value: number; end: number } {
  const found = readVarint(bytes, at)
  if (typeof found === 'string') throw new CidError(`Not a CID: a number in it is ${found}.`)
  return found
}

function digestOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (end > bytes.length) throw new CidError('Not a CID: it ends early.')
  return bytes.subarray(start, end)
}

/** The bytes of a CID, in the version that it has. */
export function encodeCid({ version, codec, hash, digest }: CidParts): Uint8Array {
  const numbers = version === 0 ? [hash, digest.length] : [1, codec, hash, digest.length]
  const bytes = new Uint8Array(numbers.reduce((sum, value) => sum + varintSize(value), digest.length))
  let at = 0
  for (const value of numbers) at = writeVarint(bytes, at, value)
  bytes.set(digest, at)
  return bytes
}

/** The parts of a checked CID. @throws CidError when its digest is longer than {@link maxDigestSize}. */
export function cidParts(cid: Cid): CidParts {
  return decodeCid(base32.decode(cid)).cid
}

/** The CID as it is stored and shown: version 1. */
export function formatCid(parts: CidParts): Cid {
  return base32.encode(encodeCid({ ...parts, version: 1 })) as Cid
}

/** Whether two name the same bytes, whatever these are taken for. */
export function sameHash(a: CidParts, b: CidParts): boolean {
  return a.hash === b.hash && sameBytes(a.digest, b.digest)
}

/** Whether two runs of bytes are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
