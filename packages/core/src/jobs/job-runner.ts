import type { JobQueue, LeasedJob } from '../ports/jobs.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import { HeldLease } from './held-lease.ts'
import type { JobKind, JobReport } from './job-kind.ts'

/** How a run ended. */
export type JobOutcome =
  | { result: 'done'; report: JobReport }
  /** It is tried again after `retry` milliseconds; null: not before somebody asks, or its next period. */
  | { result: 'failed'; error: unknown; retry: Milliseconds | null }
  /** Stopped because the process stops; it begins again elsewhere at once. */
  | { result: 'stopped' }
  /** Stopped because another process has it, or may have it. */
  | { result: 'lost' }

/** Hears what happens, for log and metrics. Must not throw. */
export interface JobObserver {
  ended(kind: JobKind, outcome: JobOutcome, duration: Milliseconds): void
  /** The queue does not answer; said once, until it answers again. */
  queueAway(error: unknown): void
  queueBack(): void
}

/** What a runner works with. */
export interface JobRunnerOptions {
  queue: JobQueue
  kinds: readonly JobKind[]
  observer: JobObserver
  /** How long a process that died keeps a job from the others. */
  lease?: Milliseconds
  /** How often the queue is looked into. */
  poll?: Milliseconds
}

/** Does jobs until it is stopped. */
export interface JobRunner {
  /** Looks into the queue now, where this process knows that there is something. */
  wake(): void
  /** Tells runs to stop, and waits for them. */
  stop(): Promise<void>
}

/** Starts to do jobs of these kinds, each kind one at a time in this process. */
export function startJobs(options: JobRunnerOptions): JobRunner {
  const runner = new Runner(options)
  runner.wake()
  return runner
}

/** The longest wait between two attempts. */
const longestRetry: Milliseconds = 600_000

/** How long a job that failed for the nth time waits: doubled each time, and spread, so that many do not come at once. */
export function retryDelay(attempts: number, random = Math.random): Milliseconds {
  const full = Math.min(longestRetry, 1000 * 2 ** Math.max(0, attempts - 1))
  return Math.round(full * (0.75 + random() / 2))
}

class Runner implements JobRunner {
  readonly #queue: JobQueue
  readonly #observer: JobObserver
  readonly #lease: Milliseconds
  readonly #poll: Milliseconds
  readonly #idle = new Map<string, JobKind>()
  readonly #runs = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #unscheduled: readonly JobKind[]
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null
  #again = false
  #away = false

  constructor({ queue, kinds, observer, lease = 30_000, poll = 5000 }: JobRunnerOptions) {
    this.#queue = queue
    this.#observer = observer
    this.#lease = lease
    this.#poll = poll
    for (const kind of kinds) this.#idle.set(kind.name, kind)
    this.#unscheduled = kinds.filter(({ period }) => period !== null)
  }

  wake(): void {
    this.#again = true
    if (this.#looking !== null || this.#stopping.signal.aborted) return
    clearTimeout(this.#timer)
    this.#looking = this.#look().finally(() => {
      this.#looking = null
      if (this.#stopping.signal.aborted) return
      // Spread, so that the replicas do not ask in step.
      this.#timer = setTimeout(() => this.wake(), this.#poll * (0.75 + Math.random() / 2)).unref()
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#looking
    await Promise.all(this.#runs)
  }

  async #look(): Promise<void> {
    try {
      while (this.#again && !this.#stopping.signal.aborted) {
        this.#again = false
        await this.#schedule()
        while (await this.#begin());
        if (this.#away) this.#observer.queueBack()
        this.#away = false
      }
    } catch (error) {
      if (!this.#away) this.#observer.queueAway(error)
      this.#away = true
    }
  }

  async #schedule(): Promise<void> {
    for (const { name, period } of this.#unscheduled) await this.#queue.scheduleJob(name, period ?? 0)
    this.#unscheduled = []
  }

  /** Begins one job that is due. False when there is none that this process could do now. */
  async #begin(): Promise<boolean> {
    if (this.#idle.size === 0 || this.#stopping.signal.aborted) return false
    const token = crypto.randomUUID()
    const askedAt = performance.now()
    const job = await this.#queue.leaseJob({ kinds: [...this.#idle.keys()], token, lease: this.#lease })
    const kind = job === null ? undefined : this.#idle.get(job.kind)
    if (job === null || kind === undefined) return false
    this.#idle.delete(kind.name)
    const run = this.#run(kind, job, token, askedAt).finally(() => {
      this.#idle.set(kind.name, kind)
      this.#runs.delete(run)
      this.wake()
    })
    this.#runs.add(run)
    return true
  }

  async #run(kind: JobKind, job: LeasedJob, token: string, askedAt: number): Promise<void> {
    using lease = new HeldLease(this.#queue, { id: job.id, token }, this.#lease, askedAt)
    const outcome = await this.#settle(kind, job, token, await this.#attempt(kind, job, lease.lost))
    this.#observer.ended(kind, outcome, performance.now() - askedAt)
  }

  async #attempt(kind: JobKind, job: LeasedJob, lost: AbortSignal): Promise<JobOutcome> {
    const signal = AbortSignal.any([lost, this.#stopping.signal])
    let outcome: JobOutcome
    try {
      if (job.attempts > kind.attempts) throw new Error('The processes that began it ended before it did.')
      outcome = { result: 'done', report: await kind.run({ payload: job.payload, signal }) }
    } catch (error) {
      const retry = job.attempts < kind.attempts ? retryDelay(job.attempts) : null
      outcome = { result: 'failed', error, retry }
    }
    if (lost.aborted) return { result: 'lost' }
    return this.#stopping.signal.aborted ? { result: 'stopped' } : outcome
  }

  /** Writes how it ended. When that fails the lease ends by itself, and the job is done again. */
  async #settle(kind: JobKind, job: LeasedJob, token: string, outcome: JobOutcome): Promise<JobOutcome> {
    if (outcome.result === 'lost') return outcome
    const held = { id: job.id, token }
    try {
      return (await this.#write(kind, held, outcome)) ? outcome : { result: 'lost' }
    } catch (error) {
      return { result: 'failed', error, retry: this.#lease }
    }
  }

  #write(
    kind: JobKind,
    held: { id: number; token: string },
    outcome: Exclude<JobOutcome, { result: 'lost' }>,
  ): Promise<boolean> {
    if (outcome.result === 'done') return this.#queue.finishJob(held, kind.period)
    if (outcome.result === 'stopped') return this.#queue.finishJob(held, 0)
    // A periodic job is not given up: it begins anew with its next period.
    if (outcome.retry === null && kind.period !== null) return this.#queue.finishJob(held, kind.period)
    return this.#queue.failJob(held, String(outcome.error), outcome.retry)
  }
}
