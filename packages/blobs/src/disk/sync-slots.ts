/**
 * How many syncs may be under way at once. Each occupies a thread of Node's pool for as long as the disk takes, and
 * reads of other clients need those threads too.
 */
export class SyncSlots {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  /** @param limit syncs at once, at least one. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Syncs as soon as there is a slot, in the order of the calls. */
  async run(sync: () => Promise<void>): Promise<void> {
    if (this.#taken >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#taken += 1
    try {
      await sync()
    } finally {
      this.#leave()
    }
  }

  /**
   * Syncs now, or not at all: for what can be done later as well. It leaves a slot for {@link run}, if there is more
   * than one. Null when there was no slot.
   */
  runIfIdle(sync: () => Promise<void>): Promise<void> | null {
    if (this.#taken > 0 && this.#taken >= this.#limit - 1) return null
    return this.run(sync)
  }

  /** A slot goes straight to the next in the queue, so that nobody overtakes it. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken -= 1
    else next()
  }
}
