import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseChunkRange, parseRange } from './content-range.ts'

describe('parseChunkRange', () => {
  test.each([
    ['0-0', { start: 0, end: 0 }],
    ['0-1023', { start: 0, end: 1023 }],
    ['1024-2047', { start: 1024, end: 2047 }],
    ['9007199254740990-9007199254740991', { start: 9007199254740990, end: 9007199254740991 }],
    ['bytes 0-4/5', { start: 0, end: 4 }],
    ['bytes 5-9/*', { start: 5, end: 9 }],
    ['bytes=5-9', { start: 5, end: 9 }],
    [' 5-9 ', { start: 5, end: 9 }],
  ])('reads %j', (header, range) => {
    expect(parseChunkRange(header)).toEqual(range)
  })

  test.each([
    '',
    '-',
    '5',
    '5-',
    '-5',
    '9-5',
    '0--1',
    '0-1-2',
    'a-b',
    '0x1-0x2',
    '1.0-2.0',
    '+0-1',
    '0 - 1',
    '0-1/x',
  ])('refuses %j', (header) => {
    expect(parseChunkRange(header)).toBeNull()
  })

  test.each(['0-9007199254740992', '0-9999999999999999', '0-99999999999999999999', 'items 0-1/2'])(
    'refuses %j',
    (header) => {
      expect(parseChunkRange(header)).toBeNull()
    },
  )

  test('reads what was written, and is null for whatever is not a range', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (start, end) => {
        expect(parseChunkRange(`${start}-${end}`)).toEqual(start <= end ? { start, end } : null)
      }),
    )
    fc.assert(
      fc.property(fc.string(), (header) => {
        fc.pre(!/[0-9]-[0-9]/.test(header))
        expect(parseChunkRange(header)).toBeNull()
      }),
    )
  })
})

describe('parseRange', () => {
  test.each([
    ['bytes=0-0', { offset: 0, length: 1 }],
    ['bytes=500-1499', { offset: 500, length: 1000 }],
    ['bytes=500-', { offset: 500, length: 1548 }],
    ['bytes=-500', { offset: 1548, length: 500 }],
    ['bytes=2000-5000', { offset: 2000, length: 48 }],
    ['bytes=0-', { offset: 0, length: 2048 }],
    ['bytes=-5000', { offset: 0, length: 2048 }],
    ['bytes=0-99999999999999999999999999', { offset: 0, length: 2048 }],
    ['bytes=-99999999999999999999999999', { offset: 0, length: 2048 }],
    ['Bytes=1-2', { offset: 1, length: 2 }],
    ['bytes= 1-2 ', { offset: 1, length: 2 }],
    ['bytes=2047-2047', { offset: 2047, length: 1 }],
  ])('takes %s of 2048 bytes', (header, range) => {
    expect(parseRange(header, 2048)).toEqual(range)
  })

  test.each([
    'bytes=2048-',
    'bytes=5000-10000',
    'bytes=500-0',
    'bytes=5000-0',
    'bytes=-0',
    'bytes=99999999999999999999-',
  ])('cannot satisfy %s of 2048 bytes', (header) => {
    expect(parseRange(header, 2048)).toBe('unsatisfiable')
  })

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-1,3-4',
    'bytes=0-1,',
    'bytes=1',
    'bytes=--1',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=1-2-3',
    'bytes 0-1',
    'items=0-1',
    '0-1',
  ])('ignores %j', (header) => {
    expect(parseRange(header, 2048)).toBe('whole')
  })

  test('of nothing, the end is all there is', () => {
    expect(parseRange('bytes=-1', 0)).toBe('whole')
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
    expect(parseRange('bytes=0-0', 0)).toBe('unsatisfiable')
  })

  /** What a range of some bytes is, by the definitions of RFC 9110 §14.1.2 and `slice()`. */
  function expected(content: number[], first: number | null, last: number | null): unknown {
    if (first === null && last === null) return 'whole'
    if (first === null) return last === 0 ? 'unsatisfiable' : content.slice(-last!)
    if (last !== null && last < first) return 'unsatisfiable'
    return first >= content.length
      ? 'unsatisfiable'
      : content.slice(first, last === null ? undefined : last + 1)
  }

  test('selects the same bytes as slice()', () => {
    const position = fc.option(fc.nat({ max: 40 }))
    fc.assert(
      fc.property(fc.nat({ max: 32 }), position, position, (size, first, last) => {
        const content = Array.from({ length: size }, (_, i) => i)
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size)
        const taken =
          typeof range === 'string' ? range : content.slice(range.offset, range.offset + range.length)
        const wanted = expected(content, first, last)
        expect(taken).toEqual(Array.isArray(wanted) && wanted.length === 0 ? 'whole' : wanted)
      }),
    )
  })

  test('never leaves the content, whatever the header is', () => {
    const near = fc.stringMatching(/^bytes=[0-9]{0,20}-[0-9]{0,20}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), fc.maxSafeNat(), (header, size) => {
        const range = parseRange(header, size)
        if (typeof range === 'string') return
        expect(range.offset).toBeGreaterThanOrEqual(0)
        expect(range.length).toBeGreaterThan(0)
        expect(range.offset + range.length).toBeLessThanOrEqual(size)
      }),
    )
  })
})
