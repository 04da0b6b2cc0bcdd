import { RegistryError } from '@openregistry/oci'
import { leafSize, type ContentHasher, type HashRun } from '../ports/content-hasher.ts'

/** A buffer of the pool that holds `length` bytes, and the end of its hashing. */
interface Piece {
  buffer: Uint8Array
  length: number
  hashed: Promise<void>
}

/** How many filled pieces may wait for the store. With the one being filled and the one being written: 3 MiB an upload. */
const waiting = 1

/** What {@link pieces} needs besides the bytes. */
export interface PieceOptions {
  hasher: ContentHasher
  /** Null when nobody needs the hashes. */
  run: Pick<HashRun, 'update'> | null
  /** Whether a piece is given only once `run` has taken it without an error: for content that has yet to be believed. */
  checked?: boolean
  /** Bytes after which the content is refused; 0: none. */
  limit: number
}

/**
 * Cuts a stream into pieces of one leaf each, so that the next piece arrives from the client while the present one is
 * written and hashed. Memory is a few pieces, and a slow store slows the client down: nothing is read ahead of that.
 *
 * A yielded piece is valid until the next one is asked for.
 *
 * @throws RegistryError `BLOB_TOO_LARGE` past the limit; whatever `source` throws.
 */
export async function* pieces(
  source: AsyncIterable<Uint8Array>,
  { hasher, run, checked = false, limit }: PieceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const queue = new PieceQueue()
  const filling = fill(source, queue, { hasher, run, limit })
  try {
    for (let piece = await queue.take(); piece !== null; piece = await queue.take()) {
      try {
        if (checked) await piece.hashed
        yield piece.length === leafSize ? piece.buffer : piece.buffer.subarray(0, piece.length)
        await piece.hashed
      } finally {
        // Hashing may still read the memory: it goes back to the pool only afterwards.
        void piece.hashed.catch(() => undefined).then(() => hasher.release(piece.buffer))
      }
    }
    await filling
  } finally {
    // When the consumer leaves early, `fill` ends at the source's next chunk or end; nobody waits for a slow client.
    queue.abandon((piece) => hasher.release(piece.buffer))
  }
}

async function fill(
  source: AsyncIterable<Uint8Array>,
  queue: PieceQueue,
  { hasher, run, limit }: PieceOptions,
): Promise<void> {
  let buffer: Uint8Array | null = null
  let used = 0
  let total = 0
  const flush = async (): Promise<void> => {
    if (buffer === null) return
    const full = buffer
    const view = used === leafSize ? full : full.subarray(0, used)
    const hashed = run === null ? Promise.resolve() : run.update(view)
    hashed.catch(() => undefined)
    buffer = null
    const length = used
    used = 0
    await queue.put({ buffer: full, length, hashed })
  }
  try {
    for await (const chunk of source) {
      total += chunk.length
      if (limit > 0 && total > limit) throw tooLarge()
      for (let at = 0; at < chunk.length;) {
        buffer ??= hasher.acquire()
        const taken = Math.min(chunk.length - at, leafSize - used)
        buffer.set(chunk.subarray(at, at + taken), used)
        used += taken
        at += taken
        if (used === leafSize) await flush()
      }
      if (queue.abandoned) return
    }
    await flush()
    queue.end(null)
  } catch (error) {
    queue.end(error)
  } finally {
    if (buffer !== null) hasher.release(buffer)
  }
}

/** The refusal of content that is larger than the configured limit. */
export function tooLarge(): RegistryError {
  return new RegistryError('BLOB_TOO_LARGE', 'The blob is larger than this registry takes (limits.blob).')
}

/** A queue of one producer and one consumer with room for {@link waiting} pieces. */
class PieceQueue {
  #pieces: Piece[] = []
  #ended = false
  #error: unknown = null
  #wakeConsumer: (() => void) | null = null
  #wakeProducer: (() => void) | null = null
  #release: ((piece: Piece) => void) | null = null

  /** Whether the consumer has gone. */
  get abandoned(): boolean {
    return this.#release !== null
  }

  async put(piece: Piece): Promise<void> {
    if (this.#release !== null) return this.#discard(piece)
    this.#pieces.push(piece)
    this.#wakeConsumer?.()
    if (this.#pieces.length > waiting) await new Promise<void>((resolve) => (this.#wakeProducer = resolve))
  }

  async take(): Promise<Piece | null> {
    while (true) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#wakeProducer?.()
        return piece
      }
      if (this.#error !== null) throw this.#error
      if (this.#ended) return null
      await new Promise<void>((resolve) => (this.#wakeConsumer = resolve))
    }
  }

  end(error: unknown): void {
    this.#ended = true
    this.#error = error
    this.#wakeConsumer?.()
  }

  abandon(release: (piece: Piece) => void): void {
    this.#release = release
    for (const piece of this.#pieces.splice(0)) this.#discard(piece)
    this.#wakeProducer?.()
  }

  #discard(piece: Piece): void {
    void piece.hashed.catch(() => undefined).then(() => this.#release?.(piece))
  }
}
