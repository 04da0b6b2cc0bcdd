import type { Connection, Stream } from '@libp2p/interface'
import { cidParts, encodeCid, sha256Code, type Cid } from '@openregistry/dag'
import { encodeAsks, type Ask } from '../bitswap/ask-message.ts'
import { BitswapError } from '../bitswap/bitswap-error.ts'
import type { ByteBudget } from '../bitswap/byte-budget.ts'
import { openStream } from '../bitswap/open-stream.ts'
import { readAnswers } from '../bitswap/read-answers.ts'
import { readMessages } from '../bitswap/read-messages.ts'
import { sendMessage } from '../bitswap/send-message.ts'
import { ConnectionLost } from './connection-lost.ts'
import { WantedBlocks, type Waiting } from './wanted-blocks.ts'

/** Bytes of the longest message that is read (Bitswap 1.2: at most 4 MiB). */
export const longestAnswer = 4 * 2 ** 20

/** Bytes that a peer may send without one answer among them: it wants blocks itself, and tells so. */
const longestAside = 16 * 2 ** 20

/** Blocks of one message that came before. Each is hashed, and a message has room for two million empty ones. */
const againAtMost = 1024

/** The priority of what is asked first; each message has a lower one, so that blocks come in this order. */
const firstPriority = 2 ** 31 - 1

/** What connections share, and how long they wait. */
export interface ConnectionParts {
  /** Memory for large messages. */
  readonly incoming: ByteBudget
  /** Milliseconds that a block may take. */
  readonly patience: number
}

/**
 * A connection to a peer that is asked for blocks. Any number of them may be wanted at once; those that are asked for in the
 * same moment go into one message. Nothing is given to the peer, and what it wants is passed over.
 */
export class BlockConnection {
  readonly #connection: Connection
  readonly #parts: ConnectionParts
  readonly #wanted = new WantedBlocks()
  /** What the peer is not told yet: of each CID the last word. */
  readonly #asks = new Map<string, Ask>()
  #isAsking = false
  #messages = 0
  #out: Stream | null = null
  /** Wants that were answered, and bytes since the last one. */
  #answers = 0
  #aside = 0
  #fault: Error | null = null

  constructor(connection: Connection, parts: ConnectionParts) {
    this.#connection = connection
    this.#parts = parts
    connection.addEventListener('close', () => this.fail(new ConnectionLost()), { once: true })
    if (connection.status !== 'open') this.fail(new ConnectionLost())
  }

  /** What has ended it; null while it can be used. */
  get fault(): Error | null {
    return this.#fault
  }

  /**
   * A block with this hash, or null when the peer says that it does not have it.
   * @throws BitswapError when the peer does not keep to the protocol; ConnectionLost; Error when it speaks another one, or the
   * block does not come in time; the reason of the signal.
   */
  async block(cid: Cid, signal?: AbortSignal): Promise<Uint8Array | null> {
    signal?.throwIfAborted()
    if (this.#fault !== null) throw this.#fault
    const { digest, ...parts } = cidParts(cid)
    const before = this.#answers
    const waiting: Waiting & { promise: Promise<Uint8Array | null> } = Promise.withResolvers()
    const timer = setTimeout(() => this.#late(waiting, before), this.#parts.patience)
    const stop = (): void => waiting.reject(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    const bytes = encodeCid({ ...parts, digest })
    try {
      if (this.#wanted.add(digest, waiting)) this.#ask({ cid: bytes, cancel: false })
      return await waiting.promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      if (this.#wanted.drop(digest, waiting)) this.#ask({ cid: bytes, cancel: true })
    }
  }

  /** Takes the answers of a stream that the peer has opened, until it ends it. */
  async receive(stream: Stream): Promise<void> {
    try {
      const limits = { budget: this.#parts.incoming, longest: longestAnswer }
      for await (const message of readMessages(stream, limits)) this.#take(message)
      await stream.close()
    } catch (error) {
      stream.abort(asError(error))
      this.fail(error instanceof BitswapError ? error : new ConnectionLost(error))
    }
  }

  /** Ends it, and tells everybody who waits why. */
  fail(error: Error): void {
    if (this.#fault !== null) return
    this.#fault = error
    this.#wanted.fail(error)
    this.#connection.abort(error)
  }

  #take(message: Uint8Array): void {
    let [isAnswer, again] = [false, 0]
    for (const answer of readAnswers(message)) {
      const isWanted = 'block' in answer ? this.#wanted.give(answer.block) : this.#hear(answer)
      isAnswer ||= isWanted
      if ('block' in answer && !isWanted && ++again > againAtMost)
        throw new BitswapError('It gives the same blocks again and again.')
    }
    if (isAnswer) this.#answers++
    this.#aside = isAnswer ? 0 : this.#aside + message.length + 1
    if (this.#aside > longestAside) throw new BitswapError('It sends on and on, and no answer.')
  }

  #hear({ parts, has }: { parts: ReturnType<typeof cidParts>; has: boolean }): boolean {
    if (has || parts.hash !== sha256Code || !this.#wanted.miss(parts.digest)) return false
    // Else it would send the block when it has it, some day.
    this.#ask({ cid: encodeCid(parts), cancel: true })
    return true
  }

  /** Of a peer that has answered meanwhile only this block is given up. */
  #late(waiting: Waiting, before: number): void {
    const seconds = this.#parts.patience / 1000
    if (this.#answers === before) this.fail(new BitswapError(`It says nothing for ${seconds} seconds.`))
    else waiting.reject(new Error(`it does not give the block within ${seconds} seconds`))
  }

  #ask(ask: Ask): void {
    if (this.#fault !== null) return
    this.#asks.set(Buffer.from(ask.cid).toString('latin1'), ask)
    if (this.#isAsking) return
    this.#isAsking = true
    void this.#send().catch((error: unknown) => this.fail(explained(error)))
  }

  async #send(): Promise<void> {
    // So that all who want something at this moment are heard.
    await Promise.resolve()
    while (this.#asks.size > 0) {
      const stream = await this.#outgoing()
      const asks = [...this.#asks.values()]
      this.#asks.clear()
      const order = { priority: firstPriority - this.#messages, full: this.#messages === 0 }
      this.#messages++
      await sendMessage(stream, encodeAsks(asks, order))
    }
    this.#isAsking = false
  }

  async #outgoing(): Promise<Stream> {
    if (this.#out?.writeStatus === 'writable') return this.#out
    return (this.#out = await openStream(this.#connection))
  }
}

function explained(error: unknown): Error {
  if (error instanceof BitswapError) return error
  const isForeign = error instanceof Error && error.name === 'UnsupportedProtocolError'
  return isForeign ? new Error('it does not speak Bitswap', { cause: error }) : new ConnectionLost(error)
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new BitswapError('The stream failed.', { cause: error })
