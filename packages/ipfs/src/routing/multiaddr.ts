import { isIP } from 'node:net'

/**
 * Where HTTP is spoken, as libp2p writes addresses: `/dns/registry.example/tcp/443/tls/http`. Clients take plain HTTP at IP
 * addresses only, so `localhost` becomes one.
 * @param url scheme, host and port; its path is left out.
 */
export function httpMultiaddr(url: URL): string {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const isTls = url.protocol === 'https:'
  const port = url.port === '' ? (isTls ? '443' : '80') : url.port
  return `${hostPart(host)}/tcp/${port}${isTls ? '/tls' : ''}/http`
}

function hostPart(host: string): string {
  if (host === 'localhost') return '/ip4/127.0.0.1'
  const version = isIP(host)
  return version === 0 ? `/dns/${host}` : `/ip${version}/${host}`
}

/** The names of the protocols in an address. */
export function protocolsOf(multiaddr: string): string[] {
  const withValue = new Set(['ip4', 'ip6', 'dns', 'tcp'])
  const names: string[] = []
  const parts = multiaddr.split('/').slice(1)
  while (parts.length > 0) {
    const name = parts.shift()!
    names.push(name)
    if (withValue.has(name)) parts.shift()
  }
  return names
}
