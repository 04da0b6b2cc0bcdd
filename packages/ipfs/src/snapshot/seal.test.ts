import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal } from './seal.ts'
import { SnapshotError } from './snapshot-error.ts'

const seal = createSeal(new Uint8Array(32).fill(1))
const other = createSeal(new Uint8Array(32).fill(2))

test('property: what was sealed comes back, and nobody changes or reads it without the key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(), fc.nat(7), (plain, at, bit) => {
      const sealed = seal.close(plain)
      expect(seal.open(sealed)).toEqual(plain)
      expect(seal.close(plain)).toEqual(sealed)
      expect(sealed.length).toBe(plain.length + 48)
      if (plain.length >= 8) expect(Buffer.from(sealed).includes(plain)).toBe(false)
      expect(() => other.open(sealed)).toThrow(SnapshotError)
      const changed = Uint8Array.from(sealed)
      changed[at % sealed.length]! ^= 1 << bit
      expect(() => seal.open(changed)).toThrow(SnapshotError)
      expect(() => seal.open(sealed.subarray(0, at % sealed.length))).toThrow(SnapshotError)
    }),
  )
})
