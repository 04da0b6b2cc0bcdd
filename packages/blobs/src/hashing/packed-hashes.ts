const width = 32

/** SHA-256 digests by index, packed one after the other. */
export class PackedHashes {
  #bytes = new Uint8Array(16 * width)

  /** Stores the digest at an index, in any order. */
  put(index: number, digest: Uint8Array): void {
    const needed = (index + 1) * width
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(digest, index * width)
  }

  /** The first `count` digests, in an array of their own. */
  take(count: number): Uint8Array {
    return this.#bytes.slice(0, count * width)
  }
}
