import type { JobLease, JobQueue } from '../ports/jobs.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'

/** The lease is asked for and judged in quarters: two requests may fail, and the last quarter is there to stop in. */
const quarters = 4

/**
 * Keeps the lease of a job that is being done, and tells the work to stop when it is lost. By this process's own clock,
 * counted from before the request, it is never held longer than by the database's.
 */
export class HeldLease implements Disposable {
  readonly #lost = new AbortController()
  readonly #queue: JobQueue
  readonly #held: JobLease
  readonly #lease: Milliseconds
  readonly #timer: NodeJS.Timeout
  #until: number
  #asking = false

  /** @param askedAt `performance.now()` before the lease was asked for. */
  constructor(queue: JobQueue, held: JobLease, lease: Milliseconds, askedAt: number) {
    this.#queue = queue
    this.#held = held
    this.#lease = lease
    this.#until = askedAt + lease
    this.#timer = setInterval(() => void this.#keep(), lease / quarters)
  }

  /** Aborts when the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async #keep(): Promise<void> {
    const askedAt = performance.now()
    if (askedAt >= this.#until - this.#lease / quarters) return this.#lose()
    if (this.#asking) return
    this.#asking = true
    try {
      if (await this.#queue.extendJob(this.#held, this.#lease)) this.#until = askedAt + this.#lease
      else this.#lose()
    } catch {
      // The database is away: it is asked again while there is time.
    } finally {
      this.#asking = false
    }
  }

  #lose(): void {
    this[Symbol.dispose]()
    this.#lost.abort()
  }

  /** Lets go of the timer; the lease itself is ended by whoever held it, or by time. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
