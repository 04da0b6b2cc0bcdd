import type { PeerId } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { sha256 } from '../../sha256.ts'
import type { Placed } from './closest-peers.ts'
import type { DhtPeer } from './dht-message.ts'
import type { DhtNetwork } from './dht-networks.ts'
import type { Libp2pParts } from './libp2p-parts.ts'
import { reachOf } from './reach.ts'

/** Addresses at which a peer is called. Strangers would else have us call very many others, in the name of one. */
const calledAtMost = 4

/** A peer with addresses at which it can be called. */
export interface Contact extends Placed {
  readonly peer: PeerId
  readonly addresses: readonly Multiaddr[]
}

/** A peer at addresses that are good. */
export function contactAt(peer: PeerId, addresses: readonly Multiaddr[]): Contact {
  return { peer, addresses, place: sha256(peer.toMultihash().bytes) }
}

/** Who told of a peer: in which network, and at which address it was asked. */
interface Hearsay {
  readonly network: DhtNetwork
  readonly at: Multiaddr
}

/**
 * A peer that somebody told of. Strangers may have us call at addresses of this network alone, by TCP, without a name that
 * could lead elsewhere and without a relay. Addresses of this machine are those of other services to everybody who is not on
 * it, and so are those of its link. Null: there is none, or it is no peer.
 */
export function contactOf(
  { id, addresses }: DhtPeer,
  { network, at }: Hearsay,
  { peerIdFromMultihash }: Pick<Libp2pParts, 'peerIdFromMultihash'>,
): Contact | null {
  const good = addresses.map(readAddress).filter((one) => one !== null)
  const ours = good.filter((one) => network.has(one) && ['far', reachOf(at)].includes(reachOf(one)))
  if (ours.length === 0) return null
  try {
    return contactAt(peerIdFromMultihash(decodeMultihash(id)), ours.slice(0, calledAtMost))
  } catch {
    // Strangers may write anything into a message.
    return null
  }
}

function readAddress(bytes: Uint8Array): Multiaddr | null {
  try {
    const address = multiaddr(bytes)
    const [host, port, ...rest] = address.getComponents()
    const isIp = host?.name === 'ip4' || host?.name === 'ip6'
    const isAlone = rest.every(({ name }) => name === 'p2p')
    if (!isIp || port?.name !== 'tcp' || !isAlone) return null
    return multiaddr(`/${host.name}/${host.value}/tcp/${port.value}`)
  } catch {
    // The same.
    return null
  }
}
