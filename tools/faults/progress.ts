/** Counts what the clients have done in a round, so that faults come at moments of their work and not of the clock. */
export class Progress {
  readonly total: number
  /** Resolves when the clients are done. */
  readonly finished: Promise<void>
  readonly #finish: () => void
  #done = 0
  #waiting: { count: number; resolve: () => void }[] = []

  constructor(total: number) {
    this.total = total
    const { promise, resolve } = Promise.withResolvers<void>()
    this.finished = promise
    this.#finish = resolve
  }

  /** One more thing is done. */
  step(): void {
    this.#done++
    const due = this.#waiting.filter(({ count }) => count <= this.#done)
    this.#waiting = this.#waiting.filter(({ count }) => count > this.#done)
    for (const { resolve } of due) resolve()
  }

  /** Nothing more comes. */
  finish(): void {
    this.#finish()
  }

  /** Resolves when so many things are done, or nothing more comes. */
  after(count: number): Promise<void> {
    if (count <= this.#done) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ count, resolve })
    return Promise.race([promise, this.finished])
  }
}
