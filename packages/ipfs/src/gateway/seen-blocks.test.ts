import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeenBlocks } from './seen-blocks.ts'

const hashOf = (value: number): Uint8Array => createHash('sha256').update(String(value)).digest()

test('blocks are new once, for each codec', () => {
  const step = fc.record({ codec: fc.constantFrom(0x55, 0x70), value: fc.nat({ max: 60 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const seen = new SeenBlocks()
      const known = new Set<string>()
      for (const { codec, value } of steps) {
        const name = `${codec} ${value}`
        expect(seen.has(codec, hashOf(value))).toBe(known.has(name))
        expect(seen.add(codec, hashOf(value))).toBe(!known.has(name))
        known.add(name)
      }
    }),
  )
})

test('many of them are told apart, those that begin alike too', () => {
  const seen = new SeenBlocks()
  const alike = (value: number): Uint8Array => {
    const key = new Uint8Array(32)
    new DataView(key.buffer).setUint32(12, value + 1)
    return key
  }
  const keys = [...Array(5000).keys()].map((value) => (value % 10 === 0 ? alike(value) : hashOf(value)))
  expect(keys.every((key) => seen.add(0x55, key))).toBe(true)
  expect(keys.every((key) => seen.has(0x55, key))).toBe(true)
  expect(seen.has(0x55, hashOf(-1))).toBe(false)
})

test('there is an end to what is remembered', () => {
  const seen = new SeenBlocks()
  const key = new Uint8Array(32)
  const view = new DataView(key.buffer)
  const add = (value: number): boolean => {
    view.setUint32(0, Math.imul(value, 0x9e37_79b1))
    view.setUint32(4, value + 1)
    return seen.add(0x55, key)
  }
  for (let value = 0; value < 2 ** 20; value++) add(value)
  expect(() => add(2 ** 20)).toThrow('ask with car-dups=y')
})
