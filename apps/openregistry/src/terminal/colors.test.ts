import { afterEach, expect, test, vi } from 'vitest'
import { colorsOf, paletteOf } from './colors.ts'

afterEach(() => vi.unstubAllEnvs())

test.each([
  [true, '', 'xterm', true],
  [false, '', 'xterm', false],
  [true, '1', 'xterm', false],
  [true, '', 'dumb', false],
])('on a terminal (%s), NO_COLOR=%j, TERM=%s: %s', (isTTY, noColor, term, expected) => {
  vi.stubEnv('NO_COLOR', noColor)
  vi.stubEnv('TERM', term)
  expect(colorsOf({ isTTY })).toBe(expected)
  expect(paletteOf({ isTTY }).bad('x')).toBe(expected ? '\u001b[31mx\u001b[39m' : 'x')
})
