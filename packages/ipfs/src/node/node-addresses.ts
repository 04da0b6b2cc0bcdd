import { isIP } from 'node:net'

/** Where a node listens. */
export interface NodeAddress {
  /** An IP address. */
  readonly host: string
  readonly port: number
}

/** An address as libp2p writes it: `/ip4/127.0.0.1/tcp/4001`; of a name, `/dns/registry.example/tcp/4001`. */
export function tcpMultiaddr({ host, port }: NodeAddress): string {
  const version = isIP(host)
  return `/${version === 0 ? 'dns' : `ip${version}`}/${host}/tcp/${port}`
}
