/** A connection that makes this node hold something. */
export interface Holder {
  /** Bytes that it holds now, at most. */
  held(): number
  /** Ends it, with everything that it holds. */
  cut(): void
}

/**
 * Memory that all connections together may take with what they have sent and nobody has read, and with answers that they do not
 * take. Windows bound what a stream may send before it is read; with them alone it would be streams times connections. What a
 * fair peer holds is read soon, so when there is too much, whoever holds the most is cut.
 */
export class PeerMemory {
  readonly #limit: number
  readonly #held = new Map<Holder, number>()
  #total = 0

  /** @param limit in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Notes what a connection holds. May cut it, or another one. */
  note(holder: Holder, bytes: number): void {
    this.#set(holder, bytes)
    if (this.#total <= this.#limit) return
    // What others were said to hold may have been read meanwhile.
    for (const other of this.#held.keys()) this.#set(other, other.held())
    while (this.#total > this.#limit) this.#cutLargest()
  }

  /** The connection is gone. */
  forget(holder: Holder): void {
    this.#total -= this.#held.get(holder) ?? 0
    this.#held.delete(holder)
  }

  #set(holder: Holder, bytes: number): void {
    this.#total += bytes - (this.#held.get(holder) ?? 0)
    this.#held.set(holder, bytes)
  }

  #cutLargest(): void {
    let largest: Holder | null = null
    for (const [holder, bytes] of this.#held) {
      if (largest === null || bytes > (this.#held.get(largest) ?? 0)) largest = holder
    }
    if (largest === null) return
    this.forget(largest)
    largest.cut()
  }
}
