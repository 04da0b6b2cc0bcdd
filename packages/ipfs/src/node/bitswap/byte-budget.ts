/** Bytes of a budget that somebody has; disposing gives them back. */
export interface ByteLease extends Disposable {
  /** Gives back what is more than this. */
  keep(bytes: number): void
}

/** Memory that all peers together may take. Whoever wants more waits its turn. */
export class ByteBudget {
  #free: number
  readonly #total: number
  readonly #waiting: { bytes: number; granted: () => void }[] = []

  constructor(total: number) {
    this.#total = total
    this.#free = total
  }

  /** @param bytes at most the whole budget. */
  async take(bytes: number): Promise<ByteLease> {
    if (bytes > this.#total) throw new RangeError(`${bytes} of ${this.#total} bytes`)
    if (this.#waiting.length > 0 || bytes > this.#free) {
      await new Promise<void>((granted) => this.#waiting.push({ bytes, granted }))
    } else this.#free -= bytes
    let held = bytes
    const keep = (kept: number): void => {
      if (kept >= held) return
      this.#free += held - kept
      held = kept
      this.#grant()
    }
    return { keep, [Symbol.dispose]: () => keep(0) }
  }

  #grant(): void {
    for (let [next] = this.#waiting; next !== undefined && next.bytes <= this.#free; [next] = this.#waiting) {
      this.#waiting.shift()
      this.#free -= next.bytes
      next.granted()
    }
  }
}
