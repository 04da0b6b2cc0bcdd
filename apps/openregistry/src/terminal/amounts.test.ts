import { describe, expect, test } from 'vitest'
import { formatAgo, formatBytes, formatCount, shortDigest } from './amounts.ts'

test.each([
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [99.9 * 1024, '99.9 KiB'],
  [150 * 1024, '150 KiB'],
  [3 * 2 ** 30, '3.0 GiB'],
  [2 ** 60, '1024 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

describe('how long ago', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  test.each([
    ['2026-11-21T11:59:30Z', 'just now'],
    ['2026-11-21T12:00:10Z', 'just now'],
    ['2026-11-21T11:59:00Z', '1 minute ago'],
    ['2026-11-21T10:00:01Z', '1 hour ago'],
    ['2026-11-18T12:00:00Z', '3 days ago'],
    ['2026-09-01T12:00:00Z', '2 months ago'],
    ['2024-01-01T12:00:00Z', '2 years ago'],
    ['2026-11-21T14:00:00Z', 'in 2 hours'],
  ])('%s is %s', (then, text) => {
    expect(formatAgo(new Date(then), now)).toBe(text)
  })
})

test('counts have their noun', () => {
  expect([0, 1, 2].map((count) => formatCount(count, 'tag'))).toEqual(['0 tags', '1 tag', '2 tags'])
})

test('a digest is told by its beginning', () => {
  expect(shortDigest(`sha512:${'ab'.repeat(64)}`)).toBe('sha512:abababababab')
})
