import { cidParts } from '../cid-parts.ts'
import type { Cid } from '../cid.ts'
import { varintSize, writeVarint } from '../varint.ts'
import { encodeCarHeader } from './car-header.ts'

/**
 * What a CARv1 begins with. The same roots give the same bytes.
 * @throws CidError for an identity CID of more than 128 bytes.
 */
export function carHeader(roots: readonly Cid[]): Uint8Array {
  const header = encodeCarHeader(roots.map(cidParts))
  return withLength(header.length, header)
}

/**
 * What a block of a CARv1 begins with; `length` bytes of content have to follow, which need not be in one piece.
 * @param cid its bytes, as `encodeCid` gives them.
 */
export function carFrameHead(cid: Uint8Array, length: number): Uint8Array {
  return withLength(cid.length + length, cid)
}

/** A length, and the first bytes of what it counts. */
function withLength(length: number, bytes: Uint8Array): Uint8Array {
  const size = varintSize(length)
  const framed = new Uint8Array(size + bytes.length)
  writeVarint(framed, 0, length)
  framed.set(bytes, size)
  return framed
}

/** Bytes of a block with all that is around it. */
export function carFrameSize(cidSize: number, length: number): number {
  return varintSize(cidSize + length) + cidSize + length
}
