/*
 * Messages, written and read byte by byte after the specification: what is tested reads and writes with a library.
 */

/** A message as it goes over a stream. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([varint(BigInt(message.length)), message])
}

/** Messages with their lengths in front, as far as they have arrived, and what follows them. */
export function unframed(stream: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = []
  const input = { bytes: stream, at: 0 }
  let end = 0
  while (input.at < stream.length) {
    const length = Number(readVarint(input))
    if (input.at + length > stream.length) break
    messages.push(stream.subarray(input.at, input.at + length))
    end = input.at += length
  }
  return { messages, rest: stream.subarray(end) }
}

/** The fields of a message: numbers, and bytes. */
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

/** A field of bytes. */
export const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes])

/** A field of a number. */
export const numberField = (number: number, value: bigint): Buffer =>
  Buffer.concat([varint(BigInt(number << 3)), varint(value)])

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
