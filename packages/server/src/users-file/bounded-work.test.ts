import { expect, test } from 'vitest'
import { BoundedWork } from './bounded-work.ts'

test('runs as many at a time as it may, in order, whatever fails', async () => {
  const work = new BoundedWork({ width: 2, queue: 10 })
  const order: number[] = []
  let running = 0
  let most = 0
  const runs = Array.from({ length: 6 }, (_, index) =>
    work.run(async () => {
      order.push(index)
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      if (index % 2 === 0) throw new Error(`fault ${index}`)
      return index
    }),
  )
  const ended = await Promise.allSettled(runs)
  expect(most).toBe(2)
  expect(order).toEqual([0, 1, 2, 3, 4, 5])
  expect(ended.map((end) => end.status)).toEqual([
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect(await work.run(() => Promise.resolve('after'))).toBe('after')
})

test('refuses what finds the queue full', async () => {
  const work = new BoundedWork({ width: 1, queue: 1 })
  const gate = Promise.withResolvers<void>()
  const first = work.run(() => gate.promise)
  const second = work.run(() => Promise.resolve())
  await expect(work.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' })
  gate.resolve()
  await Promise.all([first, second])
})
