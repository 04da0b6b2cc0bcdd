import { expect, test } from 'vitest'
import { sha256 } from '../../sha256.ts'
import { BitswapError } from '../bitswap/bitswap-error.ts'
import { WantedBlocks } from './wanted-blocks.ts'

const block = Uint8Array.of(1, 2, 3)
const digest = sha256(block)
const someone = () => Promise.withResolvers<Uint8Array | null>()

test('a block is asked for once, and everybody who waits for it gets a copy of its own', async () => {
  const wanted = new WantedBlocks()
  const [one, other] = [someone(), someone()]
  expect([wanted.add(digest, one), wanted.add(digest, other)]).toEqual([true, false])
  expect(wanted.give(block)).toBe(true)
  const given = [await one.promise, await other.promise]
  expect(given).toEqual([block, block])
  expect(new Set([block.buffer, ...given.map((bytes) => bytes?.buffer)]).size).toBe(3)
  expect([wanted.drop(digest, one), wanted.drop(digest, other)]).toEqual([false, false])
})

test('it is taken back when the last one leaves, and may come all the same', () => {
  const wanted = new WantedBlocks()
  const [one, other] = [someone(), someone()]
  wanted.add(digest, one)
  wanted.add(digest, other)
  expect([wanted.drop(digest, one), wanted.drop(digest, other)]).toEqual([false, true])
  expect([wanted.give(block), wanted.give(block), wanted.miss(digest)]).toEqual([false, false, false])
  expect(wanted.add(digest, one)).toBe(true)
})

test('what nobody has asked for, or not for long, is a fault', async () => {
  const wanted = new WantedBlocks()
  const one = someone()
  wanted.add(digest, one)
  expect(() => wanted.give(Uint8Array.of(1))).toThrow(BitswapError)
  expect(wanted.miss(digest)).toBe(true)
  expect(await one.promise).toBeNull()
  const others = Array.from({ length: 1024 }, (_, at) => sha256(Uint8Array.of(at & 255, at >> 8)))
  const forget = (other: Uint8Array): void => {
    wanted.add(other, one)
    wanted.drop(other, one)
  }
  others.slice(1).forEach(forget)
  expect(wanted.give(block)).toBe(false)
  others.slice(0, 1).forEach(forget)
  expect(() => wanted.give(block)).toThrow(BitswapError)
})
