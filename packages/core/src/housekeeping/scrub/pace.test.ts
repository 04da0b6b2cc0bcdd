import { expect, test } from 'vitest'
import { Pace, pause, type PaceClock } from './pace.ts'

function clock(): PaceClock & { waited: number; at: number } {
  return {
    at: 0,
    waited: 0,
    now() {
      return this.at
    },
    async wait(milliseconds, signal) {
      signal?.throwIfAborted()
      this.waited += milliseconds
      this.at += milliseconds
    },
  }
}

test('bytes take the time that the rate gives them', async () => {
  const time = clock()
  const pace = new Pace(1000, time)
  for (let n = 0; n < 100; n++) await pace.spend(100)
  expect(time.at).toBe(10_000)
})

test('time that passed otherwise counts, and is not saved up', async () => {
  const time = clock()
  const pace = new Pace(1000, time)
  await pace.spend(100)
  time.at += 60_000
  await pace.spend(100)
  expect(time.waited).toBe(200)
  await pace.spend(5000)
  expect(time.waited).toBe(5200)
})

test('small debts wait for each other', async () => {
  const time = clock()
  const pace = new Pace(1_000_000, time)
  for (let n = 0; n < 19; n++) await pace.spend(1000)
  expect(time.waited).toBe(0)
  await pace.spend(1000)
  expect(time.waited).toBe(20)
})

test('0 is no bound', async () => {
  const time = clock()
  await new Pace(0, time).spend(1e12)
  expect(time.waited).toBe(0)
})

test('a signal ends a wait', async () => {
  const stopping = new AbortController()
  const waiting = new Pace(1).spend(1e6, stopping.signal)
  stopping.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(new Pace(0).spend(1, stopping.signal)).rejects.toThrow('enough')
  await expect(pause(0)).resolves.toBeUndefined()
})
