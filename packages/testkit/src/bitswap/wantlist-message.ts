/*
 * Messages of a client, written byte by byte after the specification: what is tested reads and writes with a library.
 */

/** A want as it is written. */
export interface WrittenWant {
  cid: Uint8Array
  priority?: number
  cancel?: boolean
  type?: 'have' | 'block'
  sendDontHave?: boolean
}

/** A message with a wantlist, without its length. */
export function wantlistMessage(wants: readonly WrittenWant[], { full = false } = {}): Uint8Array {
  const entries = wants.map(({ cid, priority = 1, cancel = false, type = 'block', sendDontHave = false }) =>
    Buffer.concat([
      bytesField(1, cid),
      numberField(2, BigInt.asUintN(64, BigInt(priority))),
      numberField(3, cancel ? 1n : 0n),
      numberField(4, type === 'have' ? 1n : 0n),
      numberField(5, sendDontHave ? 1n : 0n),
    ]),
  )
  const list = Buffer.concat([
    ...entries.map((entry) => bytesField(1, entry)),
    numberField(2, full ? 1n : 0n),
  ])
  return bytesField(1, list)
}

/** The same as it goes over a stream. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([varint(BigInt(message.length)), message])
}

/** What a message of a server says. */
export interface ReadResponse {
  /** Blocks by the hexadecimal form of their prefixes and hashes as they arrived. */
  blocks: { prefix: string; data: Buffer }[]
  has: string[]
  hasNot: string[]
}

/** Reads messages with their lengths in front. */
export function readResponses(stream: Uint8Array): ReadResponse {
  const response: ReadResponse = { blocks: [], has: [], hasNot: [] }
  const input = { bytes: Buffer.from(stream), at: 0 }
  while (input.at < input.bytes.length) {
    const length = Number(readVarint(input))
    const message = input.bytes.subarray(input.at, input.at + length)
    if (message.length < length) break
    input.at += length
    for (const [number, value] of fieldsOf(message)) {
      const inner = new Map(fieldsOf(value as Buffer))
      if (number === 3) {
        response.blocks.push({
          prefix: (inner.get(1) as Buffer).toString('hex'),
          data: inner.get(2) as Buffer,
        })
      } else if (number === 4) {
        const cid = (inner.get(1) as Buffer).toString('hex')
        ;((inner.get(2) ?? 0n) === 0n ? response.has : response.hasNot).push(cid)
      }
    }
  }
  return response
}

/** The fields of a message: numbers, or bytes. */
export function* fieldsOf(bytes: Buffer): Generator<[number, Buffer | bigint], void, undefined> {
  const input = { bytes, at: 0 }
  while (input.at < bytes.length) {
    const tag = Number(readVarint(input))
    const value = readVarint(input)
    if (tag % 8 === 0) yield [tag >> 3, value]
    else {
      yield [tag >> 3, bytes.subarray(input.at, input.at + Number(value))]
      input.at += Number(value)
    }
  }
}

function readVarint(input: { bytes: Buffer; at: number }): bigint {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = input.bytes[input.at++]
    if (byte === undefined) return value
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 128) return value
  }
}

/** A field of bytes as it is written. */
export const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes])

const numberField = (number: number, value: bigint): Buffer =>
  Buffer.concat([varint(BigInt(number << 3)), varint(value)])

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
