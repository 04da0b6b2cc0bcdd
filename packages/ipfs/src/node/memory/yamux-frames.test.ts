import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameTooLong, YamuxFrames } from './yamux-frames.ts'

const longest = 1000

/** A frame as it goes over the wire; only frames of type 0 are followed by as many bytes as they say. */
function frame(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === 0 ? length : 0))
  bytes[1] = type
  new DataView(bytes.buffer).setUint32(8, length)
  return bytes
}

const frames = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: longest }).map((length) => frame(0, length)),
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat()).map(([type, length]) => frame(type, length)),
  ),
  { minLength: 1, maxLength: 12 },
)

/** Bytes in chunks that end anywhere. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

test('frames end where they end, however they are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (all, sizes) => {
      const followed = new YamuxFrames(longest)
      const bytes = Buffer.concat(all)
      const ends = new Set(all.map((_, index) => Buffer.concat(all.slice(0, index + 1)).length))
      let [at, cost] = [0, 0]
      for (const chunk of cut(bytes, sizes)) {
        cost += followed.take(chunk)
        at += chunk.length
        expect(followed.unfinished === 0).toBe(ends.has(at))
        expect(followed.unfinished).toBeLessThanOrEqual(cost)
      }
      expect(cost).toBeGreaterThan(bytes.length)
    }),
  )
})

test('a frame that begins after others costs what has come of it', () => {
  const followed = new YamuxFrames(longest)
  for (let n = 0; n < 1000; n++) followed.take(frame(1, n))
  const chunks = [...cut(frame(0, longest), [100])]
  const costs = chunks.slice(0, -1).map((chunk) => followed.take(chunk))
  expect(followed.unfinished).toBe(costs.reduce((sum, one) => sum + one))
  followed.take(chunks.at(-1) ?? new Uint8Array())
  expect(followed.unfinished).toBe(0)
})

test('frames do not add up because chunks end within them', () => {
  const followed = new YamuxFrames(longest)
  const many = Buffer.concat(Array.from({ length: 1000 }, () => frame(0, 500)))
  for (const chunk of cut(many, [511])) {
    followed.take(chunk)
    expect(followed.unfinished).toBeLessThan(10_000)
  }
})

test('one that says that it is longer than a window is refused with its header', () => {
  const followed = new YamuxFrames(longest)
  followed.take(frame(0, longest))
  expect(() => followed.take(frame(0, longest + 1).subarray(0, 12))).toThrow(FrameTooLong)
})
