import { availableParallelism } from 'node:os'
import { RegistryError } from '@openregistry/oci'
import { leafSize, type ContentHasher, type ContentHashes, type HashRun } from '@openregistry/core'
import { HashThreads } from './hash-threads.ts'
import { hashInline } from './inline.ts'
import { PiecePool } from './piece-pool.ts'
import { ThreadedRun } from './threaded-run.ts'

/** Settings of {@link createContentHasher}. */
export interface ContentHasherOptions {
  /** Threads at most; one for each processor, up to 4, unless said otherwise. They start when they are needed. */
  threads?: number
  /** Bytes of free pieces that are kept for the next upload; 128 MiB, enough for 40 at once, unless said otherwise. */
  poolBytes?: number
  /** Milliseconds without an upload after which threads and free pieces are given up; 60 s unless said otherwise. */
  idleAfter?: number
}

/** A hasher on threads of its own. They end when it is disposed, and never keep an idle process alive. */
export function createContentHasher(options: ContentHasherOptions = {}): ContentHasher {
  return new ThreadedHasher(options)
}

class ThreadedHasher implements ContentHasher {
  readonly #threads: HashThreads
  readonly #pool: PiecePool
  readonly #idleAfter: number
  #idle: NodeJS.Timeout | null = null
  #runs = 0

  constructor(options: ContentHasherOptions) {
    const { threads = Math.min(4, availableParallelism()), poolBytes = 128 * leafSize } = options
    this.#threads = new HashThreads(Math.max(1, threads))
    this.#pool = new PiecePool(Math.floor(poolBytes / leafSize))
    this.#idleAfter = options.idleAfter ?? 60_000
  }

  acquire(): Uint8Array {
    this.#postponeIdle()
    return this.#pool.acquire()
  }

  release(piece: Uint8Array): void {
    this.#postponeIdle()
    this.#pool.release(piece)
  }

  hashInline(bytes: Uint8Array, options: { sha512: boolean }): ContentHashes {
    return hashInline(bytes, options)
  }

  async hashLeaf(piece: Uint8Array): Promise<Uint8Array> {
    this.#postponeIdle()
    if (piece.buffer instanceof SharedArrayBuffer) return this.#hashShared(piece)
    // For memory that the threads cannot see.
    const copy = this.#pool.acquire()
    copy.set(piece)
    try {
      return await this.#hashShared(copy.subarray(0, piece.length))
    } finally {
      this.#pool.release(copy)
    }
  }

  begin({ sha512 }: { sha512: boolean }): HashRun {
    this.#postponeIdle()
    return new ThreadedRun({ id: ++this.#runs, sha512, threads: this.#threads, pool: this.#pool })
  }

  async #hashShared(piece: Uint8Array): Promise<Uint8Array> {
    const { leaf } = await this.#threads.forLeaf().ask({ kind: 'leaf', piece })
    if (leaf === undefined) throw new RegistryError('INTERNAL', 'A hash thread answered without a digest.')
    return new Uint8Array(leaf)
  }

  #postponeIdle(): void {
    if (this.#idle !== null) this.#idle.refresh()
    else this.#idle = setTimeout(() => this.#rest(), this.#idleAfter).unref()
  }

  /** Threads go with the pieces: each keeps the shared memory that it has seen until it collects its garbage. */
  #rest(): void {
    this.#idle = null
    this.#pool.clear()
    if (!this.#threads.retireIdle()) this.#postponeIdle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle)
    await this.#threads.close()
  }
}
