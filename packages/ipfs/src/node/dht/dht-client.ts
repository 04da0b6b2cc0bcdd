import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { ByteBudget } from '../bitswap/byte-budget.ts'
import { readMessages } from '../bitswap/read-messages.ts'
import { closestCount } from './closest-peers.ts'
import { contactOf, type Contact } from './contact.ts'
import { addProviderMessage, findNodeMessage, readCloserPeers, type DhtPeer } from './dht-message.ts'
import type { DhtNetwork } from './dht-networks.ts'
import type { Libp2pParts } from './libp2p-parts.ts'
import type { Permission } from './permission.ts'
import { SharedConnections } from './shared-connections.ts'

/** Milliseconds that a peer may take for everything: to be reached, to open a stream, and to answer. */
const patience = 10_000

/** Bytes of the longest answer that is read: twenty peers with many addresses. */
const longestAnswer = 64 * 2 ** 10

/** Bytes of the answers that are read at one time. */
const answersAtMost = 16 * longestAnswer

/** A block that peers are asked about, or told of. */
export interface Subject {
  /** Its multihash. */
  readonly key: Uint8Array
  /** Asked when a peer is there, right before it hears of the block. */
  readonly permission: Permission
}

/** Talks to peers of a DHT as a client: it asks and tells, and answers nobody. */
export class DhtClient {
  readonly #connections: SharedConnections
  readonly #parts: Libp2pParts
  readonly #answers = new ByteBudget(answersAtMost)

  constructor(node: Libp2p, parts: Libp2pParts) {
    this.#parts = parts
    this.#connections = new SharedConnections(node)
  }

  /**
   * Asks a peer for peers that are closer to a key.
   * @throws what went wrong, whatever it was: the peer is of no use.
   */
  async findNode(
    to: Contact,
    network: DhtNetwork,
    { key, permission }: Subject,
    signal: AbortSignal,
  ): Promise<Contact[]> {
    return this.#talk(to, network, signal, async (stream, { remoteAddr: at }) => {
      await permission.require()
      stream.send(findNodeMessage(key))
      const limits = { budget: this.#answers, longest: longestAnswer }
      for await (const answer of readMessages(stream, limits)) {
        return readCloserPeers(answer, closestCount)
          .map((peer) => contactOf(peer, { network, at }, this.#parts))
          .filter((contact) => contact !== null)
      }
      throw new Error('It ends the stream without an answer.')
    })
  }

  /**
   * Tells a peer that this node has what has this key.
   * @throws what went wrong; when it returns, the peer has taken note: it has read all and ended the stream in peace.
   */
  async addProvider(
    to: Contact,
    network: DhtNetwork,
    { key, permission, self }: Subject & { self: DhtPeer },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#talk(to, network, signal, async (stream, _, limit) => {
      const answers = this.#parts.byteStream(stream, { maxBufferSize: longestAnswer })
      await permission.require()
      stream.send(addProviderMessage(key, self))
      await Promise.all([stream.close(limit), answers.read(limit)])
    })
  }

  #talk<T>(
    to: Contact,
    { protocol }: DhtNetwork,
    signal: AbortSignal,
    talk: (stream: Stream, connection: Connection, limit: { signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) }
    return this.#connections.with(to, limit.signal, async (connection) => {
      const stream = await connection.newStream(protocol, limit)
      const stop = (): void => stream.abort(limit.signal.reason as Error)
      limit.signal.addEventListener('abort', stop, { once: true })
      try {
        limit.signal.throwIfAborted()
        const said = await talk(stream, connection, limit)
        await stream.close(limit)
        return said
      } catch (error) {
        stream.abort(error as Error)
        throw error
      } finally {
        limit.signal.removeEventListener('abort', stop)
      }
    })
  }
}
