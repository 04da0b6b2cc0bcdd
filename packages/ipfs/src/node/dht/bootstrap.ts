import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { contactAt, type Contact } from './contact.ts'
import type { DhtNetwork } from './dht-networks.ts'

/** Milliseconds that all of them may take together. */
const patience = 20_000

/** Peers by which one gets into a network. They are trusted no more than others; they are asked first. */
export class Bootstrap {
  readonly #node: Libp2p
  readonly #addresses: readonly Multiaddr[]
  readonly #networks: readonly DhtNetwork[]
  #running: Promise<{ network: DhtNetwork; contact: Contact }[]> | null = null

  constructor(node: Libp2p, addresses: readonly Multiaddr[], networks: readonly DhtNetwork[]) {
    this.#node = node
    this.#networks = networks
    this.#addresses = addresses
  }

  /**
   * Those that can be reached, and in which network they are, as their addresses say. Who asks meanwhile gets the same.
   * @throws Error when there are none.
   */
  contacts(signal: AbortSignal): Promise<{ network: DhtNetwork; contact: Contact }[]> {
    this.#running ??= this.#connect(signal).finally(() => (this.#running = null))
    return this.#running
  }

  async #connect(signal: AbortSignal): Promise<{ network: DhtNetwork; contact: Contact }[]> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)])
    const tried = await Promise.allSettled(this.#addresses.map((address) => this.#contact(address, limit)))
    const faults = tried.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown)
    const found = tried.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
    if (found.length > 0) return found
    const [first] = faults
    const why = first instanceof Error ? first.message : String(first)
    throw new Error(`None of the bootstrap nodes can be reached: ${why}`, {
      cause: new AggregateError(faults),
    })
  }

  async #contact(
    address: Multiaddr,
    signal: AbortSignal,
  ): Promise<{ network: DhtNetwork; contact: Contact }> {
    const connection = await this.#node.dial(address, { signal })
    const at = connection.remoteAddr.decapsulate('/p2p')
    const network = this.#networks.find((one) => one.has(at))
    if (network === undefined) throw new Error(`${at.toString()} is in none of the networks.`)
    return { network, contact: contactAt(connection.remotePeer, [at]) }
  }
}
