import type { Multiaddr } from '@multiformats/multiaddr'
import { BlockList, isIP } from 'node:net'

/** From how far an IP address leads to the same host: from its own machine, from its own link, or from farther away. */
export type Reach = 'machine' | 'link' | 'far'

const machine = new BlockList()
for (const net of ['0.0.0.0', '127.0.0.0']) machine.addSubnet(net, 8, 'ipv4')
for (const one of ['::', '::1']) machine.addAddress(one, 'ipv6')

const link = new BlockList()
link.addSubnet('169.254.0.0', 16, 'ipv4')
link.addSubnet('fe80::', 10, 'ipv6')

/** Addresses of IPv6 that are routed (RFC 4291, "Global Unicast"). Others may be translated to private ones of IPv4 (NAT64). */
const routed = new BlockList()
routed.addSubnet('2000::', 3, 'ipv6')

/** Of what is no IP address: far. */
export function reachOf(address: Multiaddr): Reach {
  const { host, kind } = ipOf(address)
  if (kind === null) return 'far'
  if (machine.check(host, kind)) return 'machine'
  return link.check(host, kind) ? 'link' : 'far'
}

/** Whether an address is one of IPv6 that leads somewhere of which nothing is known. */
export function isOddIpv6(address: Multiaddr): boolean {
  const { host, kind } = ipOf(address)
  return kind === 'ipv6' && !routed.check(host, kind)
}

function ipOf(address: Multiaddr): { host: string; kind: 'ipv4' | 'ipv6' | null } {
  const host = address.getComponents()[0]?.value ?? ''
  const kinds = { 0: null, 4: 'ipv4', 6: 'ipv6' } as const
  return { host, kind: kinds[isIP(host) as 0 | 4 | 6] }
}
