import { reader } from 'protons-runtime'
import { BitswapError } from './bitswap-error.ts'

/** One field: a number, or bytes, which are a view. */
interface Field {
  number: number
  value: number
  bytes: Uint8Array | null
}

/** How fields are written (Protocol Buffers, "Encoding"). Groups are not read: they nest without end. */
const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** The fields of a message, one after the other. @throws BitswapError when it is none. */
export function* fields(message: Uint8Array): Generator<Field, void, undefined> {
  const input = reader(message)
  while (input.pos < input.len) {
    let field: Field | null
    try {
      field = readField(input)
    } catch (cause) {
      throw new BitswapError('Not a message.', { cause })
    }
    if (field !== null) yield field
  }
}

function readField(input: ReturnType<typeof reader>): Field | null {
  const tag = input.uint32()
  const number = tag >>> 3
  const wire = tag & 7
  if (wire === wireType.bytes) return { number, value: 0, bytes: input.bytes() }
  if (wire === wireType.varint) return { number, value: input.int32(), bytes: null }
  if (wire !== wireType.fixed32 && wire !== wireType.fixed64) throw new RangeError(`wire type ${wire}`)
  input.skipType(wire)
  return null
}
