import { createCipheriv, createHash, type Cipheriv } from 'node:crypto'

/** A source of random values that gives the same ones for the same seed, on every machine. */
export interface Random {
  /** This many bytes; incompressible, fast enough for layers of any size. */
  bytes(length: number): Buffer
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number
  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T
  /** Lower-case letters and digits, the first one a letter: usable in names, tags and file names. */
  word(length: number): string
}

const letters = 'abcdefghijklmnopqrstuvwxyz'
const alphanumeric = `${letters}0123456789`

/** A random source for this seed: the key stream of AES in counter mode under the seed's hash. */
export function randomFrom(seed: string | number): Random {
  const hash = createHash('sha256').update(`openregistry testkit ${seed}`).digest()
  const stream: Cipheriv = createCipheriv('aes-128-ctr', hash.subarray(0, 16), hash.subarray(16))
  const bytes = (length: number): Buffer => stream.update(Buffer.alloc(length))
  const integer = (least: number, most: number): number => {
    const fraction = bytes(6).readUIntBE(0, 6) / 2 ** 48
    return least + Math.floor(fraction * (most - least + 1))
  }
  const character = (of: string): string => of.charAt(integer(0, of.length - 1))
  return {
    bytes,
    integer,
    pick: <T>(items: readonly [T, ...T[]]): T => items[integer(0, items.length - 1)] ?? items[0],
    word(length) {
      let text = character(letters)
      while (text.length < length) text += character(alphanumeric)
      return text
    },
  }
}
