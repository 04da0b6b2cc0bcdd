const kibi = 1024
/** The smallest buffer; more readers than fit into the bound get this size beyond it. */
export const smallestBuffer = 64 * kibi

/**
 * Buffers for reads with a bound on the sum of those in use. The fuller it is, the smaller the buffers it lends, so that
 * a few readers have large ones and a thousand readers do not exhaust the memory. Sizes are powers of two.
 */
export class ReadBuffers {
  readonly #bound: number
  readonly #keep: number
  readonly #free = new Map<number, Uint8Array[]>()
  #lent = 0
  #idle = 0

  /** @param bound bytes in use up to which buffers may be larger than {@link smallestBuffer}. */
  constructor(bound: number) {
    this.#bound = bound
    this.#keep = bound / 4
  }

  /** Bytes in use. */
  get lent(): number {
    return this.#lent
  }

  /** Whether buffers are so scarce that nobody should hold two. */
  get scarce(): boolean {
    return this.#lent >= this.#bound
  }

  /** Lends a buffer of `wanted` bytes (rounded up to a size there is), or a smaller one. Its content is undefined. */
  take(wanted: number): Uint8Array {
    const share = (this.#bound - this.#lent) / 16
    let size = smallestBuffer
    while (size < wanted && size * 2 <= share) size *= 2
    this.#lent += size
    const kept = this.#free.get(size)?.pop()
    // Not a Buffer: its `slice` does not copy, which surprises whoever has to keep a chunk.
    if (kept === undefined) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
    this.#idle -= size
    return kept
  }

  /** Takes a buffer back for the next reader. */
  give(buffer: Uint8Array): void {
    this.forget(buffer)
    if (this.#idle + buffer.length > this.#keep) return
    this.#idle += buffer.length
    const kept = this.#free.get(buffer.length)
    if (kept === undefined) this.#free.set(buffer.length, [buffer])
    else kept.push(buffer)
  }

  /** Ends the loan of a buffer that somebody may still look at; it is not lent again. */
  forget(buffer: Uint8Array): void {
    this.#lent -= buffer.length
  }
}
