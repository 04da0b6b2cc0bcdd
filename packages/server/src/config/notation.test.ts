import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'
import { formatSize, parseSize } from './size.ts'

describe('durations', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  test.each(['', '30', '1.5h', '-1s', '1 s', 's', '1S', '10 m', '1w', '1s ', '1e3s', '9999999999s'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  test.each([
    [0, '0'],
    [1, '1ms'],
    [60_000, '60s'],
    [120_000, '2m'],
    [3_600_000, '1h'],
    [86_400_000, '24h'],
    [604_800_000, '7d'],
  ])('%d is written %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  test('what is written is read as the same', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10 ** 8 }),
        fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000),
        (count, unit) => {
          const milliseconds = (count * unit) % (3650 * 86_400_000)
          expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
        },
      ),
    )
  })

  test('never fails, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDuration(text)))
  })
})

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['64KiB', 65_536],
    ['64 kib', 65_536],
    ['1.5GiB', 1_610_612_736],
    ['4MB', 4_000_000],
    ['1TiB', 1_099_511_627_776],
    ['10B', 10],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each(['', 'MiB', '-1', '1.5', '0.0001KiB', '4 M', '1PiB', '1e3', '0x10', '99999999999TiB'])(
    '%j is none',
    (text) => {
      expect(parseSize(text)).toBeNull()
    },
  )

  test.each([
    [0, '0'],
    [1000, '1000'],
    [1024, '1KiB'],
    [4_194_304, '4MiB'],
    [4_194_305, '4194305'],
  ])('%d is written %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  test('what is written is read as the same', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1024, 2 ** 20), (count, unit) => {
        expect(parseSize(formatSize(count * unit))).toBe(count * unit)
      }),
    )
  })
})
