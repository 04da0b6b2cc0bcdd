import { unixfsLeafSize } from '@openregistry/dag'

/** Free pieces that are kept; as many blocks as Kubo asks for at a time. */
const keptAtMost = 16

/** Milliseconds without a block after which they are given up. */
const idleAfter = 60_000

/**
 * Memory for blocks that are lent, a leaf each. It is not the hasher's: pieces that clients who go away leave behind are up to
 * the garbage collector, which does not see how large shared memory is, and nothing of an upload is ever in these.
 */
export class BlockMemory {
  #free: Uint8Array[] = []
  #idle: NodeJS.Timeout | null = null

  /** How many pieces wait for the next block. */
  get free(): number {
    return this.#free.length
  }

  /** A piece; its content is undefined. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(unixfsLeafSize).buffer)
  }

  /** Takes a piece back at which nobody looks any more. */
  give(piece: Uint8Array): void {
    if (this.#free.length < keptAtMost) this.#free.push(piece)
    if (this.#idle !== null) this.#idle.refresh()
    else this.#idle = setTimeout(() => this.#rest(), idleAfter).unref()
  }

  #rest(): void {
    this.#idle = null
    this.#free = []
  }
}
