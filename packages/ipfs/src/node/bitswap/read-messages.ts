import type { Stream } from '@libp2p/interface'
import { BitswapError } from './bitswap-error.ts'
import type { ByteBudget } from './byte-budget.ts'
import { streamPieces } from './stream-pieces.ts'

/** Messages up to this size do not wait for the budget: nearly all of them, so that large ones hold nobody up. */
const small = 16 * 2 ** 10

/** Milliseconds that a message may take from its first byte to its last one. */
const patience = 30_000

/** Bytes of the longest length that is read. */
const maxLengthSize = 4

/** What messages may cost. */
export interface MessageLimits {
  /** Memory that the large messages of all peers share. */
  readonly budget: ByteBudget
  /** Bytes that a message may have; not more than the budget. */
  readonly longest: number
}

/**
 * The messages of a stream, each with its length in front. The next one is read when the one before was worked off.
 * @throws BitswapError when a message is too long or too slow, or the stream ends in the middle of one.
 */
export async function* readMessages(
  stream: Stream,
  { budget, longest }: MessageLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new Input(streamPieces(stream))
  try {
    while (await input.more()) {
      const timer = setTimeout(() => stream.abort(new BitswapError('A message takes too long.')), patience)
      try {
        const size = await readLength(input, longest)
        using _ = size > small ? await budget.take(size) : null
        const message = await input.read(size)
        clearTimeout(timer)
        yield message
      } finally {
        clearTimeout(timer)
      }
    }
  } finally {
    await input.end()
  }
}

async function readLength(input: Input, longest: number): Promise<number> {
  let length = 0
  for (let at = 0; at < maxLengthSize; at++) {
    const [byte = 0] = await input.read(1)
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte >= 128) continue
    if (length > longest) break
    return length
  }
  throw new BitswapError(`A message is longer than ${longest} bytes.`)
}

/** Bytes out of pieces. */
class Input {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>
  #piece: Uint8Array = new Uint8Array()

  constructor(pieces: AsyncGenerator<Uint8Array, void, undefined>) {
    this.#pieces = pieces
  }

  /** Whether anything follows. */
  async more(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next()
      if (done === true) return false
      this.#piece = value
    }
    return true
  }

  async read(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size)
    let at = 0
    while (at < size) {
      if (!(await this.more())) throw new BitswapError('A message ends early.')
      const part = this.#piece.subarray(0, size - at)
      bytes.set(part, at)
      at += part.length
      this.#piece = this.#piece.subarray(part.length)
    }
    return bytes
  }

  async end(): Promise<void> {
    await this.#pieces.return()
  }
}
