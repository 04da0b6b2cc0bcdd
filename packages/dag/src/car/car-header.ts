/*
 * The header of a CAR is a DAG-CBOR map of two known names, so it is written and read by hand: the little that it uses of
 * CBOR is here, and everything else is refused. Tests compare with `@ipld/car`.
 *
 *   CARv1   { roots: [ CID, … ], version: 1 }
 *   CARv2   { version: 2 }                        the pragma, in front of a header of fixed fields
 */
import { decodeCid, encodeCid, type CidParts } from '../cid-parts.ts'
import { CidError } from '../cid.ts'
import { CarError } from './car-error.ts'

/** What a header says. Of version 2 it is only the beginning; its roots are in the header within. */
export type CarHeader = { version: 1; roots: CidParts[] } | { version: 2 }

/** Major types of CBOR (RFC 8949, 3.1). */
const major = { number: 0, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const

/** The tag of a CID, and the byte before its bytes (DAG-CBOR, "Links"). */
const cidTag = 42
const cidPrefix = 0

/** A head of CBOR in its shortest form, as DAG-CBOR demands; the values here are small. */
function head(type: number, value: number): number[] {
  const first = type << 5
  if (value < 24) return [first | value]
  if (value < 0x100) return [first | 24, value]
  if (value < 0x1_0000) return [first | 25, value >> 8, value & 0xff]
  return [first | 26, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function text(value: string): number[] {
  return [...head(major.text, value.length), ...new TextEncoder().encode(value)]
}

/** The header of a CARv1, without the length that precedes it. */
export function encodeCarHeader(roots: readonly CidParts[]): Uint8Array {
  const links = roots.flatMap((root) => {
    const bytes = encodeCid(root)
    return [...head(major.tag, cidTag), ...head(major.bytes, bytes.length + 1), cidPrefix, ...bytes]
  })
  return Uint8Array.from([
    ...head(major.map, 2),
    ...text('roots'),
    ...head(major.array, roots.length),
    ...links,
    ...text('version'),
    ...head(major.number, 1),
  ])
}

/** @throws CarError when the bytes are something else. */
export function decodeCarHeader(bytes: Uint8Array): CarHeader {
  const cursor = new Cursor(bytes)
  let roots: CidParts[] | undefined
  let version: number | undefined
  for (let names = cursor.take(major.map); names > 0; names--) {
    const name = cursor.text()
    if (name === 'roots' && roots === undefined) roots = readRoots(cursor)
    else if (name === 'version' && version === undefined) version = cursor.take(major.number)
    else throw new CarError('The header of the CAR has a name that does not belong there.')
  }
  cursor.finish()
  if (version === 1 && roots !== undefined) return { version, roots }
  if (version === 2 && roots === undefined) return { version }
  throw new CarError('The header is not that of a CAR of version 1 or 2.')
}

function readRoots(cursor: Cursor): CidParts[] {
  const roots: CidParts[] = []
  for (let count = cursor.take(major.array); count > 0; count--) {
    if (cursor.take(major.tag) !== cidTag) throw new CarError('A root of the CAR is no CID.')
    roots.push(readRoot(cursor.bytes(major.bytes)))
  }
  return roots
}

function readRoot(bytes: Uint8Array): CidParts {
  try {
    const { cid, size } = decodeCid(bytes.subarray(1))
    if (bytes[0] === cidPrefix && size === bytes.length - 1) return cid
  } catch (cause) {
    if (!(cause instanceof CidError)) throw cause
  }
  throw new CarError('A root of the CAR is no CID.')
}

/** Reads the items of a header one after the other. */
class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The value in a head of this type: a number, a length, or a tag. */
  take(type: number): number {
    const first = this.#byte()
    if (first >> 5 !== type) throw new CarError('The header of the CAR is not built as it should be.')
    const short = first & 31
    if (short < 24) return short
    if (short > 26) throw new CarError('The header of the CAR has a number that is too large.')
    let value = 0
    for (let left = 2 ** (short - 24); left > 0; left--) value = value * 256 + this.#byte()
    const least = short === 24 ? 24 : short === 25 ? 0x100 : 0x1_0000
    if (value < least) throw new CarError('The header of the CAR has a number that is longer than needed.')
    return value
  }

  bytes(type: number): Uint8Array {
    const length = this.take(type)
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    if (taken.length < length) throw endsEarly()
    this.#at += length
    return taken
  }

  text(): string {
    return String.fromCharCode(...this.bytes(major.text).subarray(0, 16))
  }

  finish(): void {
    if (this.#at !== this.#bytes.length) throw new CarError('The header of the CAR has something behind it.')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw endsEarly()
    return byte
  }
}

function endsEarly(): CarError {
  return new CarError('The header of the CAR ends early.')
}
