import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rangeWithin, type EntityBytes } from './car-parameters.ts'

/** By the definition: which of the positions 0 … size-1 are asked for. */
function positions(size: number, { from, to }: EntityBytes): number[] {
  const first = from < 0 ? size + from : from
  const last = to === null ? size - 1 : to < 0 ? size + to : to
  return Array.from({ length: size }, (_, at) => at).filter((at) => first <= at && at <= last)
}

test('a range of a file is what lies in it of the positions that were asked for', () => {
  const bound = fc.integer({ min: -40, max: 40 })
  fc.assert(
    fc.property(fc.nat({ max: 30 }), bound, fc.option(bound), (size, from, to) => {
      if (from > 0 && from >= size) {
        expect(() => rangeWithin(size, { from, to })).toThrow('none of them')
        return
      }
      const { offset, length } = rangeWithin(size, { from, to })
      const wanted = positions(size, { from, to })
      expect(length).toBe(wanted.length)
      if (length > 0) expect(offset).toBe(wanted[0])
    }),
    { numRuns: 2000 },
  )
})
