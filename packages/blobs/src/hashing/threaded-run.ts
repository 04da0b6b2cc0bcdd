import { leafSize, type ContentHashes, type HashRun } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { HashThread } from './hash-thread.ts'
import type { HashThreads } from './hash-threads.ts'
import { PackedHashes } from './packed-hashes.ts'
import type { PiecePool } from './piece-pool.ts'

/** What {@link ThreadedRun} works with. */
export interface RunOptions {
  /** Unique within the hasher. */
  id: number
  sha512: boolean
  threads: HashThreads
  pool: PiecePool
}

/**
 * One pass over content. Its running digests live on one thread, since each piece continues where the last one ended;
 * the digest of a leaf stands alone, so it goes to whichever thread has the least to do.
 */
export class ThreadedRun implements HashRun {
  readonly #options: RunOptions
  readonly #home: HashThread
  readonly #leaves = new PackedHashes()
  #size = 0
  #pieces = 0
  #ended = false
  #hashing: Promise<unknown> = Promise.resolve()

  constructor(options: RunOptions) {
    this.#options = options
    this.#home = options.threads.forRun()
    this.#home.addRun()
  }

  async update(piece: Uint8Array): Promise<void> {
    if (piece.length === 0) return
    this.#expectPiece(piece)
    const leaf = this.#pieces++
    this.#size += piece.length
    const hashed =
      piece.buffer instanceof SharedArrayBuffer ? this.#hash(piece, leaf) : this.#hashCopy(piece, leaf)
    this.#hashing = Promise.all([this.#hashing, hashed])
    this.#hashing.catch(() => undefined)
    await hashed
  }

  async finish(): Promise<ContentHashes> {
    this.#expectOpen()
    this.#end()
    const { id, sha512 } = this.#options
    const asked = this.#home.ask({ kind: 'finish', run: id, sha512 })
    const [digests] = await Promise.all([asked, this.#hashing])
    return {
      size: this.#size,
      sha256: new Uint8Array(digests.sha256 ?? missing()),
      sha512: sha512 ? new Uint8Array(digests.sha512 ?? missing()) : null,
      leaves: this.#leaves.take(this.#pieces),
    }
  }

  [Symbol.dispose](): void {
    if (this.#ended) return
    this.#end()
    // A thread that has died has forgotten everything.
    if (this.#pieces > 0) this.#home.ask({ kind: 'forget', run: this.#options.id }).catch(() => undefined)
  }

  async #hash(piece: Uint8Array, leaf: number): Promise<void> {
    const { id, sha512, threads } = this.#options
    const running = this.#home.ask({ kind: 'update', run: id, piece, sha512 })
    const alone = leaf === 0 ? running : threads.forLeaf().ask({ kind: 'leaf', piece })
    // Both must have ended before the piece is anyone else's, even when one of them fails.
    const [first, second] = await Promise.allSettled([alone, running])
    if (first.status === 'rejected') throw first.reason
    if (second.status === 'rejected') throw second.reason
    this.#leaves.put(leaf, first.value.leaf ?? missing())
  }

  /** For memory that the threads cannot see. */
  async #hashCopy(piece: Uint8Array, leaf: number): Promise<void> {
    const { pool } = this.#options
    const copy = pool.acquire()
    copy.set(piece)
    try {
      await this.#hash(copy.subarray(0, piece.length), leaf)
    } finally {
      pool.release(copy)
    }
  }

  #end(): void {
    this.#ended = true
    this.#home.removeRun()
  }

  #expectOpen(): void {
    if (this.#ended) throw new RegistryError('INTERNAL', 'A hash run was used after its end.')
  }

  #expectPiece(piece: Uint8Array): void {
    this.#expectOpen()
    if (piece.length > leafSize || this.#size !== this.#pieces * leafSize) {
      throw new RegistryError('INTERNAL', 'A piece but the last is not of the size of a leaf.')
    }
  }
}

function missing(): never {
  throw new RegistryError('INTERNAL', 'A hash thread answered without a digest.')
}
