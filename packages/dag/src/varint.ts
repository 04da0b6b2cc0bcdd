/*
 * Unsigned integers of seven bits a byte, the lowest first: Protocol Buffers and multiformats write them the same way.
 * Values are whole numbers up to 2^53-1: no size, offset or code that this package reads is larger.
 */

/** A number that was read, and where the next thing begins. */
export interface Varint {
  value: number
  end: number
}

/** Why bytes are no number: they end too early, are longer than the number needs, or the number is too large. */
export type VarintFault = 'truncated' | 'overlong' | 'too large'

/** Bytes that a safe integer needs at most. */
export const maxVarintSize = 8

/** Bytes of the encoded number. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes a number. @returns where the next thing goes. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest >= 128) {
    target[at++] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
  }
  target[at++] = rest
  return at
}

/** Reads a number that begins at `at`, or says what is wrong with it. */
export function readVarint(bytes: Uint8Array, at: number): Varint | VarintFault {
  let value = 0
  let weight = 1
  for (let size = 1; size <= maxVarintSize; size++) {
    const byte = bytes[at++]
    if (byte === undefined) return 'truncated'
    value += (byte & 0x7f) * weight
    if (byte < 128) {
      // A last byte of zero says nothing, so a shorter form exists.
      if (byte === 0 && size > 1) return 'overlong'
      return value > Number.MAX_SAFE_INTEGER ? 'too large' : { value, end: at }
    }
    weight *= 128
  }
  return 'too large'
}
