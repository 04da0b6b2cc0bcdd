import { availableParallelism } from 'node:os'
import { leafSize, type ContentHasher, type ContentHashes, type HashRun } from '@openregistry/core'
import { HashThreads } from './hash-threads.ts'
import { hashInline } from './inline.ts'
import { PiecePool } from './piece-pool.ts'
import { ThreadedRun } from './threaded-run.ts'

/** Settings of {@link createContentHasher}. */
export interface ContentHasherOptions {
  /** Threads at most; one for each processor, up to 4, unless said otherwise. They start when they are needed. */
  threads?: number
  /** Bytes of free pieces that are kept for the next upload; 32 MiB unless said otherwise. */
  poolBytes?: number
}

/** A hasher on threads of its own. They end when it is disposed, and never keep an idle process alive. */
export function createContentHasher(options: ContentHasherOptions = {}): ContentHasher {
  return new ThreadedHasher(options)
}

class ThreadedHasher implements ContentHasher {
  readonly #threads: HashThreads
  readonly #pool: PiecePool
  #runs = 0

  constructor({
    threads = Math.min(4, availableParallelism()),
    poolBytes = 32 * leafSize,
  }: ContentHasherOptions) {
    this.#threads = new HashThreads(Math.max(1, threads))
    this.#pool = new PiecePool(Math.floor(poolBytes / leafSize))
  }

  acquire(): Uint8Array {
    return this.#pool.acquire()
  }

  release(piece: Uint8Array): void {
    this.#pool.release(piece)
  }

  hashInline(bytes: Uint8Array, options: { sha512: boolean }): ContentHashes {
    return hashInline(bytes, options)
  }

  begin({ sha512 }: { sha512: boolean }): HashRun {
    return new ThreadedRun({ id: ++this.#runs, sha512, threads: this.#threads, pool: this.#pool })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads.close()
  }
}
