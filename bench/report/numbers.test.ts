import { expect, test } from 'vitest'
import { inDigits, inTimes, markdownTable } from './numbers.ts'

test.each([
  [0, '0'],
  [0.0326, '0.0326'],
  [1.234, '1.23'],
  [9.999, '10.00'],
  [45.678, '45.7'],
  [688.3, '688'],
  [1234.6, '1 235'],
  [1234567, '1 234 567'],
  [NaN, '–'],
  [Infinity, '–'],
])('%d has three digits that say something', (value, text) => {
  expect(inDigits(value)).toBe(text)
})

test('inTimes shows less of what is large', () => {
  expect(inTimes(1.204)).toBe('1.20×')
  expect(inTimes(12.6)).toBe('13×')
  expect(inTimes(NaN)).toBe('–')
})

test('markdownTable keeps every cell in its place', () => {
  expect(markdownTable(['a', 'b'], [['x|y', 'two\nlines']])).toBe(
    '| a | b |\n| --- | ---: |\n| x\\|y | two lines |',
  )
})
