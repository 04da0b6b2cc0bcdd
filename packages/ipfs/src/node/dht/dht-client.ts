import type { Libp2p, Stream } from '@libp2p/interface'
import { closestCount } from './closest-peers.ts'
import { contactOf, type Contact } from './contact.ts'
import { addProviderMessage, findNodeMessage, readCloserPeers, type DhtPeer } from './dht-message.ts'
import type { DhtNetwork } from './dht-networks.ts'
import type { Libp2pParts } from './libp2p-parts.ts'
import { SharedConnections } from './shared-connections.ts'

/** Milliseconds that a peer may take for everything: to be reached, to open a stream, and to answer. */
const patience = 10_000

/** Bytes of the longest answer that is read: twenty peers with many addresses. */
const longestAnswer = 64 * 2 ** 10

/** Talks to peers of a DHT as a client: it asks and tells, and answers nobody. */
export class DhtClient {
  readonly #connections: SharedConnections
  readonly #parts: Libp2pParts

  constructor(node: Libp2p, parts: Libp2pParts) {
    this.#parts = parts
    this.#connections = new SharedConnections(node)
  }

  /**
   * Asks a peer for peers that are closer to a key.
   * @throws what went wrong, whatever it was: the peer is of no use.
   */
  async findNode(to: Contact, network: DhtNetwork, key: Uint8Array, signal: AbortSignal): Promise<Contact[]> {
    return this.#talk(to, network, signal, async (stream, limit) => {
      const sizes = { maxDataLength: longestAnswer, maxBufferSize: 2 * longestAnswer }
      const messages = this.#parts.lpStream(stream, sizes)
      stream.send(findNodeMessage(key))
      const answer = await messages.read(limit)
      return readCloserPeers(answer.subarray(), closestCount)
        .map((peer) => contactOf(peer, network, this.#parts))
        .filter((contact) => contact !== null)
    })
  }

  /**
   * Tells a peer that this node has what has this key.
   * @throws what went wrong; when it returns, the peer has taken note: it has read all and ended the stream in peace.
   */
  async addProvider(
    to: Contact,
    network: DhtNetwork,
    said: { key: Uint8Array; self: DhtPeer },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#talk(to, network, signal, async (stream, limit) => {
      const answers = this.#parts.byteStream(stream, { maxBufferSize: longestAnswer })
      stream.send(addProviderMessage(said.key, said.self))
      await Promise.all([stream.close(limit), answers.read(limit)])
    })
  }

  #talk<T>(
    to: Contact,
    { protocol }: DhtNetwork,
    signal: AbortSignal,
    talk: (stream: Stream, limit: { signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) }
    return this.#connections.with(to, limit.signal, async (connection) => {
      const stream = await connection.newStream(protocol, limit)
      try {
        const said = await talk(stream, limit)
        await stream.close(limit)
        return said
      } catch (error) {
        stream.abort(error as Error)
        throw error
      }
    })
  }
}
