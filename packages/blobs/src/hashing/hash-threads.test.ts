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
  expect(threads.living.map((thread) => thread.runs)).toEqual([3, 2])
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

test('threads that nobody needs are given up, and only those', async () => {
  const threads = new HashThreads(2)
  const [staying, leaving] = [1, 2].map((id) => new ThreadedRun({ id, sha512: false, threads, pool }))
  await leaving?.update(pool.acquire())
  await leaving?.finish()
  expect(threads.retireIdle()).toBe(false)
  expect(threads.living).toHaveLength(1)
  await staying?.update(pool.acquire())
  expect((await staying?.finish())?.size).toBe(1024 * 1024)
  expect(threads.retireIdle()).toBe(true)
  expect(threads.living).toHaveLength(0)
  const later = new ThreadedRun({ id: 3, sha512: false, threads, pool })
  expect((await later.finish()).size).toBe(0)
  await threads.close()
})
