import { isIP } from 'node:net'
import { isPeerId } from '@openregistry/dag'

/** Where a peer of the network is, and who it is. */
export interface PeerAddress {
  /** As libp2p writes it: `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…`. */
  readonly text: string
  /** `192.0.2.1:4001` */
  readonly host: string
}

const form = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})\/p2p\/([0-9A-Za-z]+)$/
const hostName = /^[0-9a-z_-]+(\.[0-9a-z_-]+)*\.?$/i

/**
 * Reads an address at which a peer listens over TCP (libp2p, "Addressing"). Whoever answers there has to be the peer that it
 * names. @returns null when it is none.
 */
export function parsePeerAddress(text: string): PeerAddress | null {
  const [, kind = '', host = '', digits = '', peer = ''] = form.exec(text) ?? []
  const port = Number(digits)
  if (!isHost(kind, host) || port < 1 || port > 65_535 || !isPeerId(peer)) return null
  return { text, host: `${isIP(host) === 6 ? `[${host}]` : host}:${port}` }
}

function isHost(kind: string, host: string): boolean {
  if (kind === 'ip4' || kind === 'ip6') return isIP(host) === Number(kind.slice(2))
  return host.length <= 253 && hostName.test(host)
}
