import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('so many at a time, the others in their order', async () => {
  const turns = new Turns(2)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const runs = [0, 1, 2, 3].map((index) =>
    turns.run(() => {
      begun.push(index)
      return new Promise<void>((resolve) => ends.push(resolve))
    }),
  )
  expect(begun).toEqual([0, 1])
  ends[1]?.()
  await runs[1]
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.()
  await runs[0]
  expect(begun).toEqual([0, 1, 2, 3])
  for (const end of ends) end()
  await Promise.all(runs)
})

test('whoever leaves the queue takes no turn, and a failure gives its turn on', async () => {
  const turns = new Turns(1)
  const failing = Promise.withResolvers<void>()
  const first = turns.run(() => failing.promise)
  const leaving = new AbortController()
  const second = turns.run(() => Promise.resolve('never'), leaving.signal)
  const third = turns.run(() => Promise.resolve('third'))
  leaving.abort(new Error('gone'))
  await expect(second).rejects.toThrow('gone')
  failing.reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  expect(await third).toBe('third')
  expect(await turns.run(() => Promise.resolve('fourth'))).toBe('fourth')
})
