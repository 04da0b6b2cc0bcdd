import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, expectBytes, newKey, read, reusing } from './content.ts'
import type { OpenBlobStore } from './index.ts'

const mebi = 1024 * 1024
const size = 5 * mebi + 3

/** Offset and length. */
const within: [offset: number, length: number][] = [
  [0, 0],
  [0, 1],
  [0, size],
  [1, size - 1],
  [size, 0],
  [size - 1, 1],
  [mebi - 1, 2],
  [mebi, mebi],
  [65_535, 65_538],
  [262_144, 3 * mebi],
]

const outside: [offset: number, length: number][] = [
  [0, size + 1],
  [size, 1],
  [size + 1, 0],
  [-1, 1],
  [0, -1],
  [0.5, 1],
  [0, Number.NaN],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
]

/** Sizes from empty to a few reads, near the edges of buffers more often than elsewhere. */
const anySize = fc.oneof(
  fc.nat(300),
  fc.constantFrom(65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 786_433),
  fc.nat(900_000),
)

/** Parts of objects. */
export function rangeTests(open: OpenBlobStore): void {
  describe('ranges', () => {
    test('a range gives its bytes, and the size of the whole', async () => {
      await using store = await open()
      const key = newKey()
      const bytes = bytesOf(size)
      await store.write(key, reusing(bytes, mebi))
      for (const [offset, length] of within) {
        await using reader = await store.open(key, { offset, length })
        expect(reader?.size).toBe(size)
        expectBytes(await read(store, key, { offset, length }), bytes.subarray(offset, offset + length))
      }
    })

    test.each(outside)('a range that does not lie within is refused: %d, %d', async (offset, length) => {
      await using store = await open()
      const key = newKey()
      await store.write(key, reusing(bytesOf(size), mebi))
      await expect(store.open(key, { offset, length })).rejects.toMatchObject({ code: 'RANGE_INVALID' })
    })

    test('any size, cut in any way, any range', async () => {
      await using store = await open()
      const chunkings = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 })
      const property = fc.asyncProperty(
        anySize.chain((total) => fc.tuple(fc.constant(total), fc.nat(total), fc.nat(total))),
        chunkings,
        async ([total, first, second], chunks) => {
          const key = newKey()
          const bytes = bytesOf(total, first + 1)
          // The last size repeats: a large one keeps the number of chunks small.
          await store.write(key, reusing(bytes, ...chunks, 100_000))
          const [offset, end] = first < second ? [first, second] : [second, first]
          const range = { offset, length: end - offset }
          expectBytes(await read(store, key, range), bytes.subarray(offset, end))
          expectBytes(await read(store, key), bytes)
        },
      )
      await fc.assert(property, { numRuns: 60 })
    })
  })
}
