import type { Connection, Libp2p } from '@libp2p/interface'
import { bitswapProtocols } from '../bitswap/protocols.ts'
import type { Contact } from './contact.ts'

/** Milliseconds that a connection may take to close; then it is cut. */
const closeLimit = 1000

/**
 * Connections that are opened for a question and closed after it, unless somebody else has them: of a walk through a large
 * network nothing stays that would take the places of those who fetch.
 */
export class SharedConnections {
  readonly #node: Libp2p
  /** How many questions each of the connections has that were opened here. */
  readonly #users = new Map<string, number>()
  readonly #closing = new Map<string, Promise<void>>()

  constructor(node: Libp2p) {
    this.#node = node
  }

  /** Connects to a peer, and gives the connection for as long as `use` takes. @throws what libp2p does when it cannot. */
  async with<T>(
    contact: Contact,
    signal: AbortSignal,
    use: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const key = contact.peer.toString()
    // One that is being closed would be given to whoever asks for the peer now.
    await this.#closing.get(key)
    const users = this.#users.get(key) ?? 0
    const isOurs = users > 0 || this.#node.getConnections(contact.peer).length === 0
    if (!isOurs) return use(await this.#dial(contact, signal))
    this.#users.set(key, users + 1)
    try {
      return await use(await this.#dial(contact, signal))
    } finally {
      const left = this.#users.get(key)! - 1
      if (left > 0) this.#users.set(key, left)
      else {
        this.#users.delete(key)
        const closing = this.#close(contact).finally(() => this.#closing.delete(key))
        this.#closing.set(key, closing)
        await closing
      }
    }
  }

  #dial({ peer, addresses }: Contact, signal: AbortSignal): Promise<Connection> {
    const named = addresses.map((address) => address.encapsulate(`/p2p/${peer.toString()}`))
    return this.#node.dial(named, { signal })
  }

  async #close({ peer }: Contact): Promise<void> {
    for (const connection of this.#node.getConnections(peer)) {
      if (connection.direction === 'inbound' || isFetchedFrom(connection)) continue
      await connection
        .close({ signal: AbortSignal.timeout(closeLimit) })
        .catch((error: Error) => connection.abort(error))
    }
    // libp2p remembers whomever it could not reach, for as long as it runs.
    if (this.#node.getConnections(peer).length === 0) await this.#node.peerStore.delete(peer)
  }
}

function isFetchedFrom({ streams }: Connection): boolean {
  return streams.some(({ protocol }) => bitswapProtocols.some((one) => one === protocol))
}
