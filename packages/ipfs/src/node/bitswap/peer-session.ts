import type { Connection, Stream } from '@libp2p/interface'
import type { BlockView } from '../../block-view.ts'
import { answerWants, maxResponseSize } from './answer-wants.ts'
import { BitswapError } from './bitswap-error.ts'
import type { ByteBudget } from './byte-budget.ts'
import { openStream } from './open-stream.ts'
import { readMessages } from './read-messages.ts'
import { encodeResponse, type Response } from './response.ts'
import { sendMessage } from './send-message.ts'
import { WantQueue } from './want-queue.ts'
import { isFullWantlist, wantlistEntries } from './wantlist.ts'

/** What all sessions share. */
export interface SessionParts {
  readonly view: BlockView
  /** Memory for large messages of peers, and for answers to them. */
  readonly incoming: ByteBudget
  readonly outgoing: ByteBudget
  readonly observer: BitswapObserver
}

/** Hears what is sent, and what goes wrong here. */
export interface BitswapObserver {
  /** Bytes of blocks went to a peer. */
  sent(bytes: number): void
  /** A block that everybody may see could not be read. */
  failed(error: unknown): void
}

/** Wants of one peer that may wait, some 500 bytes each: as many as one message answers. The rest waits with the peer. */
const maxWants = 256

/** Bytes of the longest message that is read: the wantlists of Kubo go up to this, and blocks are not taken. */
const longestQuestion = 2 * 2 ** 20

/** Milliseconds that a peer may take to end a stream. */
const patience = 10_000

/** One connection of a peer: what it wants, and the stream on which it is answered. */
export class PeerSession {
  readonly #connection: Connection
  readonly #parts: SessionParts
  readonly #wants = new WantQueue(maxWants)
  readonly #streams = new Set<Stream>()
  #isSending = false
  #out: Stream | null = null

  constructor(connection: Connection, parts: SessionParts) {
    this.#connection = connection
    this.#parts = parts
  }

  /** Takes the wants of a stream until the peer ends it. Whatever is wrong with it ends it, and is nobody else's matter. */
  async receive(stream: Stream): Promise<void> {
    this.#streams.add(stream)
    const gone = new AbortController()
    stream.addEventListener('close', () => gone.abort(), { once: true })
    try {
      for await (const message of readMessages(stream, {
        budget: this.#parts.incoming,
        longest: longestQuestion,
      })) {
        await this.#enqueue(message, gone.signal)
      }
      await stream.close({ signal: AbortSignal.timeout(patience) })
    } catch (error) {
      stream.abort(asError(error))
    } finally {
      this.#streams.delete(stream)
      if (this.#streams.size === 0 && this.#connection.status !== 'open') this.#wants.clear()
    }
  }

  async #enqueue(message: Uint8Array, signal: AbortSignal): Promise<void> {
    if (isFullWantlist(message)) this.#wants.clear()
    for (const entry of wantlistEntries(message)) {
      if (entry.cancel) this.#wants.cancel(entry.cid)
      else {
        await this.#wants.add(entry, signal)
        this.#startSending()
      }
    }
  }

  #startSending(): void {
    if (this.#isSending) return
    this.#isSending = true
    void this.#send().catch((error: unknown) => {
      // A peer that takes no answers need not ask on.
      this.#wants.clear()
      for (const stream of [...this.#streams, this.#out]) stream?.abort(asError(error))
    })
  }

  async #send(): Promise<void> {
    const { view, outgoing, observer } = this.#parts
    try {
      while (!this.#wants.isEmpty) {
        using memory = await outgoing.take(2 * maxResponseSize)
        const response = await answerWants(this.#wants, view, (error) => observer.failed(error))
        const size = bytesOf(response)
        const stream = await this.#outgoing()
        const message = encodeResponse(response, stream.protocol)
        if (message === null) continue
        memory.keep(size + message.length)
        await sendMessage(stream, message)
        observer.sent(size)
      }
    } finally {
      this.#isSending = false
    }
  }

  async #outgoing(): Promise<Stream> {
    if (this.#out?.writeStatus === 'writable') return this.#out
    return (this.#out = await openStream(this.#connection))
  }
}

const bytesOf = ({ blocks }: Response): number => blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new BitswapError('The stream failed.', { cause: error })
