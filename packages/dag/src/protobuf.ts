import { NodeError } from './node-error.ts'
import { readVarint } from './varint.ts'

/** How a field is written (Protocol Buffers, "Encoding"): as a number, or as a length and bytes. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** One field of a message. `bytes` are a view; a number has none. */
export interface ProtobufField {
  number: number
  wire: number
  /** Of a number; of bytes their length. */
  value: number
  bytes: Uint8Array
}

const none = new Uint8Array()

/**
 * The fields of a message, in the order in which they are written.
 * @throws NodeError when the bytes are no message.
 */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField, void, undefined> {
  let at = 0
  const number = (): number => {
    const found = readVarint(message, at)
    if (typeof found === 'string') throw new NodeError(`Not a node: a number in it is ${found}.`)
    at = found.end
    return found.value
  }
  while (at < message.length) {
    const tag = number()
    const wire = tag % 8
    const field = Math.floor(tag / 8)
    if (wire === wireType.varint) {
      yield { number: field, wire, value: number(), bytes: none }
      continue
    }
    const length = lengthOf(wire, number)
    const bytes = message.subarray(at, at + length)
    if (bytes.length < length) throw new NodeError('Not a node: a field of it ends early.')
    at += length
    yield { number: field, wire, value: length, bytes }
  }
}

function lengthOf(wire: number, number: () => number): number {
  if (wire === wireType.bytes) return number()
  if (wire === wireType.fixed32) return 4
  if (wire === wireType.fixed64) return 8
  throw new NodeError('Not a node: it has a field of an unknown kind.')
}
