import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { contactAt, type Contact } from './contact.ts'
import type { DhtNetwork } from './dht-networks.ts'

/** Milliseconds that all of them may take together. */
const patience = 20_000

/** How long those who could not be reached, or whose network was lost, are left alone while there is another network. */
const pause = 600_000

/** Whom it leads to, and where. */
interface Found {
  readonly network: DhtNetwork
  readonly contact: Contact
}

/** A peer that the operator has named. */
interface Named {
  readonly address: Multiaddr
  /** In which it was when it was last reached. */
  network: DhtNetwork | null
}

/** Peers by which one gets into a network. They are trusted no more than others; they are asked first. */
export class Bootstrap {
  readonly #node: Pick<Libp2p, 'dial'>
  readonly #networks: readonly DhtNetwork[]
  readonly #peers: readonly Named[]
  #running: Promise<Found[]> | null = null
  #next = 0

  constructor(node: Pick<Libp2p, 'dial'>, addresses: readonly Multiaddr[], networks: readonly DhtNetwork[]) {
    this.#node = node
    this.#networks = networks
    this.#peers = addresses.map((address) => ({ address, network: null }))
  }

  /** Whether it is time to look for a network again that may be there besides those of which peers are known. */
  isDue(isKnown: (network: DhtNetwork) => boolean): boolean {
    if (this.#running !== null) return true
    return performance.now() >= this.#next && this.#missing(isKnown).length > 0
  }

  /**
   * Those that can be reached, and in which network they are, as their addresses say. Those of networks of which peers are known
   * are left alone. Who asks meanwhile gets the same.
   * @throws Error when there are none.
   */
  contacts(isKnown: (network: DhtNetwork) => boolean, signal: AbortSignal): Promise<Found[]> {
    this.#running ??= this.#connect(this.#missing(isKnown), signal).finally(() => {
      this.#running = null
      this.#next = performance.now() + pause
    })
    return this.#running
  }

  #missing(isKnown: (network: DhtNetwork) => boolean): Named[] {
    return this.#peers.filter(({ network }) => network === null || !isKnown(network))
  }

  async #connect(peers: readonly Named[], signal: AbortSignal): Promise<Found[]> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)])
    const tried = await Promise.allSettled(
      peers.map(async (peer) => {
        const found = await this.#contact(peer.address, limit)
        peer.network = found.network
        return found
      }),
    )
    const faults = tried.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown)
    const found = tried.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
    if (found.length > 0) return found
    const [first] = faults
    const why = first instanceof Error ? first.message : String(first)
    throw new Error(`None of the bootstrap nodes can be reached: ${why}`, {
      cause: new AggregateError(faults),
    })
  }

  async #contact(address: Multiaddr, signal: AbortSignal): Promise<Found> {
    const connection = await this.#node.dial(address, { signal })
    const at = connection.remoteAddr.decapsulate('/p2p')
    const network = this.#networks.find((one) => one.has(at))
    if (network === undefined) throw new Error(`${at.toString()} is in none of the networks.`)
    return { network, contact: contactAt(connection.remotePeer, [at]) }
  }
}
