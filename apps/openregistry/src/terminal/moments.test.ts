import { describe, expect, test } from 'vitest'
import { formatMoment, parseMoment } from './moments.ts'

/** A Saturday; times without a zone are local, so this holds wherever it runs. */
const now = new Date(2026, 10, 21, 14, 30, 15)
const local = (text: string): string | null => {
  const parsed = parseMoment(text, now)
  return parsed === null ? null : formatMoment(parsed)
}

describe('parseMoment', () => {
  test.each([
    ['2026-11-16 09:30', '2026-11-16 09:30:00'],
    ['2026-11-16T09:30:59', '2026-11-16 09:30:59'],
    ['90m', '2026-11-21 13:00:15'],
    ['36h', '2026-11-20 02:30:15'],
    ['1w', '2026-11-14 14:30:15'],
    ['2026-11-16', '2026-11-16 23:59:59'],
    ['monday', '2026-11-16 23:59:59'],
    ['Mon', '2026-11-16 23:59:59'],
    ['yesterday', '2026-11-20 23:59:59'],
    ['saturday', '2026-11-21 14:30:15'],
    ['today', '2026-11-21 14:30:15'],
  ])('%s', (text, expected) => {
    expect(local(text)).toBe(expected)
  })

  test('honours a zone', () => {
    expect(parseMoment('2026-11-16T09:30:00+02:00', now)?.toISOString()).toBe('2026-11-16T07:30:00.000Z')
    expect(parseMoment('2026-11-16 09:30z', now)?.toISOString()).toBe('2026-11-16T09:30:00.000Z')
  })

  test.each(['', 'soon', '2026-02-30', '2026-13-01', '2026-11-16 25:00', '3', '3y', '16.11.2026', '-3d'])(
    'is null for "%s"',
    (text) => {
      expect(parseMoment(text, now)).toBeNull()
    },
  )
})
