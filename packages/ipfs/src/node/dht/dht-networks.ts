import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pParts } from './libp2p-parts.ts'
import { isOddIpv6 } from './reach.ts'

/**
 * One of the two DHTs that nodes of IPFS have. Peers with public addresses are in the one, those with private addresses in the
 * other, and neither tells of peers of the other kind.
 */
export interface DhtNetwork {
  readonly protocol: string
  /** Whether its peers have private addresses. */
  readonly local: boolean
  /** Whether a peer with this address is in it. */
  has(address: Multiaddr): boolean
}

/** The public one, and that of a local network. */
export function dhtNetworks({ isPrivate }: Pick<Libp2pParts, 'isPrivate'>): [DhtNetwork, DhtNetwork] {
  const network = (protocol: string, local: boolean): DhtNetwork => ({
    ...{ protocol, local },
    has: (address) => isPrivate(address) === local && (local || !isOddIpv6(address)),
  })
  return [network('/ipfs/kad/1.0.0', false), network('/ipfs/lan/kad/1.0.0', true)]
}
