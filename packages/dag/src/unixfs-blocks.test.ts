import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unixfsBlocks, type UnixfsPlace } from './unixfs-blocks.ts'
import { unixfsLeafSize as leafSize, unixfsLevels } from './unixfs-shape.ts'

/** The same by the definition: walk the whole tree, and keep what holds a byte of the range. */
function* reference(size: number, offset: number, length: number): Generator<UnixfsPlace> {
  const counts = unixfsLevels(size)
  function* walk(level: number, index: number): Generator<UnixfsPlace> {
    const span = leafSize * 1024 ** level
    const start = index * span
    const end = Math.min(size, start + span)
    const isRoot = level === counts.length - 1
    const wanted = length > 0 && start < offset + length && offset < end
    if (!wanted && !isRoot) return
    yield { level, index }
    if (level === 0) return
    for (let child = index * 1024; child < Math.min(counts[level - 1]!, (index + 1) * 1024); child++)
      yield* walk(level - 1, child)
  }
  yield* walk(counts.length - 1, 0)
}

describe('unixfsBlocks', () => {
  const size = fc.oneof(fc.nat({ max: 5 * leafSize }), fc.nat({ max: 3000 * leafSize }))

  test('are the blocks that a walk through the whole tree finds', () => {
    fc.assert(
      fc.property(
        size,
        fc.double({ min: 0, max: 1.2, noNaN: true }),
        fc.nat({ max: 20 * leafSize }),
        (bytes, where, length) => {
          const offset = Math.floor(bytes * where)
          expect([...unixfsBlocks(bytes, { offset, length })]).toEqual([...reference(bytes, offset, length)])
        },
      ),
    )
  })

  test('without a range are all of them', () => {
    fc.assert(
      fc.property(size, (bytes) => {
        const count = unixfsLevels(bytes).reduce((sum, level) => sum + level, 0)
        expect([...unixfsBlocks(bytes)]).toHaveLength(count)
      }),
    )
  })

  test('of content in one leaf are that leaf', () => {
    for (const bytes of [0, 1, leafSize]) expect([...unixfsBlocks(bytes)]).toEqual([{ level: 0, index: 0 }])
  })

  test('of one byte in a tebibyte are one of each level', () => {
    const last = 2 ** 40 - 1
    expect([...unixfsBlocks(2 ** 40, { offset: last, length: 1 })]).toEqual([
      { level: 2, index: 0 },
      { level: 1, index: 1023 },
      { level: 0, index: 2 ** 20 - 1 },
    ])
  })
})
