/** Bytes of buffers that are kept for the next upload: one part of the usual size. */
const keep = 8 * 1024 * 1024

/**
 * Buffers for parts, with a bound on those that merely make an upload faster. Each upload always has one buffer, so that
 * none waits for another one's client; a second and third are lent only while all of them together stay below the bound.
 */
export class PartBuffers {
  readonly #bound: number
  #free: Uint8Array[] = []
  #idle = 0
  #lent = 0

  /** @param bound bytes in use up to which an upload may have more than one buffer. */
  constructor(bound: number) {
    this.#bound = bound
  }

  /** Bytes in use. */
  get lent(): number {
    return this.#lent
  }

  /** Lends a buffer of exactly this size, whatever is in use. Its content is undefined. */
  take(size: number): Uint8Array {
    this.#lent += size
    const kept = this.#free.findIndex((buffer) => buffer.length === size)
    const [buffer] = kept === -1 ? [] : this.#free.splice(kept, 1)
    // Pages that nobody writes to take no memory, so a small object in a large buffer is small.
    if (buffer === undefined) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
    this.#idle -= size
    return buffer
  }

  /** Lends one more buffer, if there is room for it. */
  takeSpare(size: number): Uint8Array | null {
    return this.#lent + size > this.#bound ? null : this.take(size)
  }

  /** Takes a buffer back. Nobody may look at it any more. */
  give(buffer: Uint8Array): void {
    this.#lent -= buffer.length
    if (this.#idle + buffer.length > keep) return
    this.#idle += buffer.length
    this.#free.push(buffer)
  }
}
