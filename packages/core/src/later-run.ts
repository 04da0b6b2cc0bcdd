/**
 * Work of which each caller wants a run that began after it asked: the one under way may have looked too early for it. Those
 * who ask meanwhile share the next run, so that there is one at a time, however many they are.
 */
export class LaterRun {
  readonly #work: () => Promise<void>
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Resolves when a run that began after this call is done. @throws what that run throws, to all who share it. */
  done(): Promise<void> {
    if (this.#next !== null) return this.#next
    if (this.#running === null) return this.#begin()
    this.#next = this.#running.then(
      () => this.#beginNext(),
      () => this.#beginNext(),
    )
    return this.#next
  }

  #beginNext(): Promise<void> {
    this.#next = null
    return this.#begin()
  }

  #begin(): Promise<void> {
    const run = this.#work().finally(() => {
      if (this.#running === run) this.#running = null
    })
    this.#running = run
    return run
  }
}
