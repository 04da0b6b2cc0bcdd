import { afterEach, expect, test } from 'vitest'
import { skewClock } from './skewed-clock.ts'

const RealDate = Date
afterEach(() => {
  globalThis.Date = RealDate
})

test('the clock is wrong, and nothing else of Date', () => {
  const real = RealDate.now()
  skewClock(86_400_000)
  expect(Date.now() - real).toBeGreaterThanOrEqual(86_400_000)
  expect(new Date().getTime() - real).toBeGreaterThanOrEqual(86_400_000)
  expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z')
  expect(Date.parse('1970-01-01T00:00:01Z')).toBe(1000)
  expect(new Date()).toBeInstanceOf(RealDate)
})
