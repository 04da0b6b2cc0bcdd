import { expect, test } from 'vitest'
import { nextRestart, type Restart } from './restart-delay.ts'

test('the first is replaced at once, a crash loop more and more slowly, and without end', () => {
  let restart: Restart | null = null
  const delays: number[] = []
  for (let n = 0; n < 9; n++) delays.push((restart = nextRestart(restart, 200)).delay)
  expect(delays).toStrictEqual([0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  expect(restart?.count).toBe(9)
})

test('a worker that was in order for a minute is a new one', () => {
  expect(nextRestart({ count: 9, delay: 30_000 }, 60_000)).toStrictEqual({ count: 1, delay: 0 })
})
