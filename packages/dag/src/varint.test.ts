import fc from 'fast-check'
import { varint as reference } from 'multiformats'
import { describe, expect, test } from 'vitest'
import { readVarint, varintSize, writeVarint } from './varint.ts'

function encode(value: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(value))
  expect(writeVarint(bytes, 0, value)).toBe(bytes.length)
  return bytes
}

describe('varints', () => {
  test('are those of multiformats', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = encode(value)
        expect(bytes).toEqual(reference.encodeTo(value, new Uint8Array(reference.encodingLength(value))))
        expect(readVarint(bytes, 0)).toEqual({ value, end: bytes.length })
      }),
    )
  })

  test.each([
    ['truncated', []],
    ['truncated', [0x80]],
    ['truncated', [0xff, 0xff, 0xff]],
    ['overlong', [0x80, 0]],
    ['overlong', [0xff, 0x80, 0]],
    ['too large', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10]],
    ['too large', Array.from({ length: 20 }, () => 0xff)],
  ])('says that a number is %s: %j', (fault, bytes) => {
    expect(readVarint(Uint8Array.from(bytes), 0)).toBe(fault)
  })

  test('reach to 2^53-1', () => {
    expect(readVarint(encode(Number.MAX_SAFE_INTEGER), 0)).toEqual({ value: 2 ** 53 - 1, end: 8 })
  })

  test('begin where the caller says', () => {
    expect(readVarint(Uint8Array.of(1, 0xac, 2, 3), 1)).toEqual({ value: 300, end: 3 })
  })
})
