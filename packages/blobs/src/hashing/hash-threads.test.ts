import { expect, test } from 'vitest'
import { HashThreads } from './hash-threads.ts'
import { PiecePool } from './piece-pool.ts'
import { ThreadedRun } from './threaded-run.ts'

const pool = new PiecePool(4)

test('a thread that dies fails its runs, and the next run has a new one', async () => {
  const threads = new HashThreads(1)
  const run = new ThreadedRun({ id: 1, sha512: false, threads, pool })
  const piece = pool.acquire()
  await run.update(piece)
  const [dying] = threads.living
  const waiting = run.update(piece)
  await Promise.all([dying?.terminate(), expect(waiting).rejects.toMatchObject({ code: 'INTERNAL' })])
  expect(threads.living).toHaveLength(0)
  await expect(run.update(piece)).rejects.toMatchObject({ code: 'INTERNAL' })
  await expect(run.finish()).rejects.toMatchObject({ code: 'INTERNAL' })

  const next = new ThreadedRun({ id: 2, sha512: false, threads, pool })
  await next.update(piece)
  expect((await next.finish()).leaves).toHaveLength(32)
  expect(threads.living).toHaveLength(1)
  await threads.close()
})

test('no thread before there is work, and no more than allowed', async () => {
  const threads = new HashThreads(2)
  expect(threads.living).toHaveLength(0)
  const runs = Array.from({ length: 5 }, (_, id) => new ThreadedRun({ id, sha512: true, threads, pool }))
  expect(threads.living).toHaveLength(2)
  expect(threads.living.map((thread) => thread.runs).toSorted()).toEqual([2, 3])
  for (const run of runs) run[Symbol.dispose]()
  for (const run of runs) run[Symbol.dispose]()
  expect(threads.living.map((thread) => thread.runs)).toEqual([0, 0])
  await threads.close()
})

test('a closed pool of threads refuses new runs, and ends what is under way', async () => {
  const threads = new HashThreads(1)
  const run = new ThreadedRun({ id: 1, sha512: false, threads, pool })
  const waiting = run.update(pool.acquire())
  await Promise.all([threads.close(), expect(waiting).rejects.toMatchObject({ code: 'INTERNAL' })])
  expect(() => new ThreadedRun({ id: 2, sha512: false, threads, pool })).toThrow('closed')
})
