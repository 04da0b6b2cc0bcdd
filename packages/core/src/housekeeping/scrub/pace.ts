/** Debts shorter than this, in milliseconds, are not worth a timer. */
const tick = 20

/** A clock in milliseconds, and a wait that a signal ends. Replaced in tests. */
export interface PaceClock {
  now(): number
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>
}

const realClock: PaceClock = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => pause(milliseconds, signal),
}

/** Waits. @throws the reason of the signal. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  const stop = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Holds whoever spends bytes back to a rate. Time that was not used is not saved up for a burst. */
export class Pace {
  readonly #rate: number
  readonly #clock: PaceClock
  /** When everything that was spent so far is paid for. */
  #paid = -Infinity

  /** @param rate bytes per second; 0: as many as come. */
  constructor(rate: number, clock: PaceClock = realClock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Bytes that are paid for in a second. */
  get perSecond(): number {
    return this.#rate === 0 ? Infinity : this.#rate
  }

  /** Resolves when these bytes are within the rate. @throws the reason of the signal. */
  async spend(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#rate === 0) return
    const now = this.#clock.now()
    this.#paid = Math.max(this.#paid, now) + (bytes * 1000) / this.#rate
    if (this.#paid - now >= tick) await this.#clock.wait(this.#paid - now, signal)
  }
}
