import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { JobKind, JobRun } from './job-kind.ts'
import { retryDelay, startJobs, type JobOutcome, type JobRunner } from './job-runner.ts'
import { MemoryQueue } from './memory-queue.ts'

const lease = 30_000
let queue: MemoryQueue
const runners: JobRunner[] = []

beforeEach(() => {
  vi.useFakeTimers()
  queue = new MemoryQueue()
})

afterEach(async () => {
  queue.fault = null
  await Promise.all(runners.splice(0).map((runner) => runner.stop()))
  vi.useRealTimers()
})

/** A kind of job whose runs last until the test, or their signal, ends them. */
function job(over: Partial<JobKind> = {}) {
  const runs: { payload: string; signal: AbortSignal; end: (error?: Error) => void }[] = []
  const state = { running: 0, most: 0 }
  const run = async ({ payload, signal }: JobRun) => {
    state.most = Math.max(state.most, ++state.running)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    runs.push({ payload, signal, end: (error) => (error === undefined ? resolve() : reject(error)) })
    signal.addEventListener('abort', () => resolve())
    await promise.finally(() => state.running--)
    return { done: 1 }
  }
  return { kind: { name: 'test', event: 'tested', period: null, attempts: 3, run, ...over }, runs, state }
}

/** Another process that does the kind. */
function start(kind: JobKind) {
  const outcomes: JobOutcome[] = []
  const said: string[] = []
  const runner = startJobs({
    queue,
    kinds: [kind],
    lease,
    observer: {
      ended: (_kind, outcome) => void outcomes.push(outcome),
      queueAway: () => void said.push('away'),
      queueBack: () => void said.push('back'),
    },
  })
  runners.push(runner)
  return { runner, outcomes, said }
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const ask = (payload = '') => queue.enqueueJob({ kind: 'test', key: null, payload, delay: 0 })

test('one of many processes does a job, in its time, and its lease is kept', async () => {
  const { kind, runs, state } = job()
  const processes = [start(kind), start(kind), start(kind)]
  await ask('work')
  await pass(10 * lease)
  expect(runs.map(({ payload }) => payload)).toStrictEqual(['work'])
  runs[0]?.end()
  await pass(1)
  expect(processes.flatMap(({ outcomes }) => outcomes)).toStrictEqual([
    { result: 'done', report: { done: 1 } },
  ])
  expect(queue.jobs).toStrictEqual([])
  expect(state.most).toBe(1)
})

test('a periodic job runs once a period, whoever does it', async () => {
  const { kind, runs } = job({ period: 60_000 })
  start(kind)
  start(kind)
  await pass(59_000)
  expect(runs).toHaveLength(0)
  for (let n = 1; n <= 5; n++) {
    await pass(70_000)
    expect(runs).toHaveLength(n)
    runs[n - 1]?.end()
    await pass(1)
  }
})

test('a process that dies gives its job up when the lease ends', async () => {
  const { kind, runs } = job()
  await ask()
  await queue.leaseJob({ kinds: ['test'], token: 'dead', lease })
  start(kind)
  await pass(lease - 10_000)
  expect(runs).toHaveLength(0)
  await pass(20_000)
  expect(runs).toHaveLength(1)
})

test('a run is told to stop before another process may begin, when the database is away', async () => {
  const { kind, runs, state } = job()
  const first = start(kind)
  await ask()
  await pass(10_000)
  queue.fault = new Error('gone')
  await pass(lease)
  expect(runs[0]?.signal.aborted).toBe(true)
  expect(first.outcomes).toStrictEqual([{ result: 'lost' }])
  start(kind)
  queue.fault = null
  await pass(2 * lease)
  expect(runs).toHaveLength(2)
  expect(state.most).toBe(1)
})

test('a run whose lease another process has is told to stop, and changes nothing', async () => {
  const { kind, runs } = job()
  const { outcomes } = start(kind)
  await ask()
  await pass(10_000)
  queue.jobs[0]!.token = 'another'
  await pass(lease / 4)
  expect(runs[0]?.signal.aborted).toBe(true)
  expect(outcomes).toStrictEqual([{ result: 'lost' }])
  expect(queue.jobs[0]).toMatchObject({ token: 'another', attempts: 1 })
})

test('a job that fails waits longer each time, then is given up', async () => {
  const { kind, runs } = job()
  const { outcomes } = start(kind)
  await ask()
  for (let n = 1; n <= 3; n++) {
    await pass(15_000)
    expect(runs).toHaveLength(n)
    runs.at(-1)?.end(new Error('broken'))
  }
  await pass(3_600_000)
  expect(runs).toHaveLength(3)
  expect(outcomes.map((outcome) => outcome.result)).toStrictEqual(['failed', 'failed', 'failed'])
  expect(outcomes[2]).toMatchObject({ retry: null })
  expect(queue.jobs).toMatchObject([{ failed: true, error: 'Error: broken', attempts: 3 }])
  expect([1, 2, 3, 30].map((n) => retryDelay(n, () => 0.5))).toStrictEqual([1000, 2000, 4000, 600_000])
})

test('a periodic job that fails begins anew with its next period', async () => {
  const { kind, runs } = job({ period: 60_000, attempts: 1 })
  start(kind)
  await pass(70_000)
  runs[0]?.end(new Error('broken'))
  await pass(50_000)
  expect(runs).toHaveLength(1)
  await pass(20_000)
  expect(runs).toHaveLength(2)
})

test('a job that kills its processes is given up', async () => {
  const { kind, runs } = job()
  await ask()
  queue.jobs[0]!.attempts = 3
  const { outcomes } = start(kind)
  await pass(1)
  expect(runs).toHaveLength(0)
  expect(outcomes).toMatchObject([{ result: 'failed', retry: null }])
  expect(queue.jobs).toMatchObject([{ failed: true }])
})

test('a stop tells runs to end, and the job begins again elsewhere', async () => {
  const { kind, runs } = job()
  const { runner, outcomes } = start(kind)
  await ask()
  await pass(10_000)
  await runner.stop()
  expect(outcomes).toStrictEqual([{ result: 'stopped' }])
  expect(runs[0]?.signal.aborted).toBe(true)
  expect(queue.jobs).toMatchObject([{ token: null, attempts: 0 }])
  start(kind)
  await pass(1)
  expect(runs).toHaveLength(2)
})

test('a queue that is away is said once, and asked until it is back', async () => {
  const { kind, runs } = job({ period: 60_000 })
  queue.fault = new Error('gone')
  const { said } = start(kind)
  await pass(60_000)
  expect(said).toStrictEqual(['away'])
  queue.fault = null
  await pass(70_000)
  expect(said).toStrictEqual(['away', 'back'])
  expect(runs).toHaveLength(1)
})
