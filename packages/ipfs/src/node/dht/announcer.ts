import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { eachOf, type AnnounceOptions, type Announcement, type PeerNetwork } from '@openregistry/core'
import { sha256 } from '../../sha256.ts'
import { Bootstrap } from './bootstrap.ts'
import { closestPeers } from './closest-peers.ts'
import type { Contact } from './contact.ts'
import { DhtClient, type Subject } from './dht-client.ts'
import type { DhtPeer } from './dht-message.ts'
import { dhtNetworks, type DhtNetwork } from './dht-networks.ts'
import { KnownContacts } from './known-contacts.ts'
import { loadLibp2pParts, type Libp2pParts } from './libp2p-parts.ts'
import { Permission } from './permission.ts'

/** Milliseconds that one announcement may take. */
const patience = 120_000

/** Milliseconds after which those are told that were found by then: peers that say nothing would else keep it from all others. */
const lookupPatience = 40_000

/** Peers that are told at the same time. */
const parallel = 5

/** The head of a multihash of SHA-256. */
const sha256Head = Uint8Array.of(0x12, 32)

/**
 * Tells peers of the DHT who has what (libp2p, "kad-dht", "Content provider advertisement"). Nothing is remembered of what was
 * told, so nothing is told again by itself: whoever has it told asks first each time.
 */
export class Announcer implements PeerNetwork {
  readonly #node: Libp2p
  readonly #client: DhtClient
  readonly #bootstrap: Bootstrap
  readonly #known: ReadonlyMap<DhtNetwork, KnownContacts>

  private constructor(node: Libp2p, bootstrap: readonly string[], parts: Libp2pParts) {
    const networks = dhtNetworks(parts)
    const addresses = bootstrap.map((address) => multiaddr(address))
    this.#node = node
    this.#client = new DhtClient(node, parts)
    this.#bootstrap = new Bootstrap(node, addresses, networks)
    this.#known = new Map(networks.map((network) => [network, new KnownContacts()]))
  }

  /** @param bootstrap addresses of the peers that are asked first. */
  static async load(node: Libp2p, bootstrap: readonly string[]): Promise<Announcer> {
    return new Announcer(node, bootstrap, await loadLibp2pParts())
  }

  /**
   * Tells the peers that are closest to a block that this node has it, in each of the networks that it is part of.
   * @throws Error when nobody can be reached who would know any of them, or nobody could reach this node.
   */
  async announce(digest: Uint8Array, { mayTell, signal }: AnnounceOptions): Promise<Announcement> {
    const limit = AbortSignal.any([AbortSignal.timeout(patience), ...(signal === undefined ? [] : [signal])])
    const permission = new Permission(mayTell)
    const subject = { key: Buffer.concat([sha256Head, digest]), permission }
    let told = 0
    try {
      // So that nobody is connected to for nothing.
      await permission.require()
      for (const [network, self] of await this.#networks(limit)) {
        const closest = await this.#closest(network, subject, limit)
        await eachOf(closest, parallel, async (contact) => {
          if (permission.ended.aborted) return
          const isTold = await this.#tell(contact, network, { ...subject, self }, limit)
          told += Number(isTold)
        })
        permission.ended.throwIfAborted()
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!limit.aborted && !permission.isRefused) throw error
    }
    if (told > 0) return 'announced'
    return permission.isRefused ? 'withdrawn' : 'unanswered'
  }

  async #tell(
    contact: Contact,
    network: DhtNetwork,
    said: Subject & { self: DhtPeer },
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await this.#client.addProvider(contact, network, said, signal)
      return true
    } catch {
      // The others are enough: records are kept twenty times so that peers may go.
      return false
    }
  }

  /** The networks that somebody is known in, with this node as its peers are told of it. */
  async #networks(signal: AbortSignal): Promise<[DhtNetwork, DhtPeer][]> {
    await this.#join(signal)
    const found = [...this.#known].filter(([, { size }]) => size > 0)
    const reachable = found.map(([network]): [DhtNetwork, DhtPeer] => [network, this.#self(network)])
    const usable = reachable.filter(([, { addresses }]) => addresses.length > 0)
    if (usable.length > 0) return usable
    throw new Error('The node has no address at which the peers of the network could reach it.')
  }

  /** Gets into the networks in which nobody is known. @throws Error when there is none at all. */
  async #join(signal: AbortSignal): Promise<void> {
    const isKnown = (network: DhtNetwork): boolean => (this.#known.get(network)?.size ?? 0) > 0
    const isAlone = ![...this.#known.keys()].some(isKnown)
    if (!isAlone && !this.#bootstrap.isDue(isKnown)) return
    try {
      for (const { network, contact } of await this.#bootstrap.contacts(isKnown, signal))
        this.#known.get(network)?.add(contact)
    } catch (error) {
      // Without the one network there is still the other.
      if (isAlone) throw error
    }
  }

  #self(network: DhtNetwork): DhtPeer {
    const addresses = this.#node.getMultiaddrs().map((address) => address.decapsulate('/p2p'))
    return {
      id: this.#node.peerId.toMultihash().bytes,
      // Peers of a local network may reach names and public addresses as well; to others private ones mean nothing.
      addresses: addresses.filter((one) => network.local || network.has(one)).map(({ bytes }) => bytes),
    }
  }

  /** @throws what ended the permission; the reason of the signal. */
  async #closest(network: DhtNetwork, subject: Subject, limit: AbortSignal): Promise<Contact[]> {
    const known = this.#known.get(network)!
    const target = sha256(subject.key)
    const signal = AbortSignal.any([limit, subject.permission.ended])
    const enough = AbortSignal.timeout(lookupPatience)
    const asking = AbortSignal.any([signal, enough])
    return closestPeers({
      ...{ target, signal, enough },
      start: known.closest(target),
      ask: async (contact) => {
        try {
          const closer = await this.#client.findNode(contact, network, subject, asking)
          known.add(contact)
          return closer.filter(({ peer }) => !peer.equals(this.#node.peerId))
        } catch {
          // Of the peers of a large network many are gone, and many take no more connections.
          if (!asking.aborted) known.drop(contact)
          return null
        }
      },
    })
  }
}
