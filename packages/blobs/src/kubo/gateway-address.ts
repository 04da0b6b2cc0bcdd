import { isIP } from 'node:net'

const anyAddress = new Set(['0.0.0.0', '::'])

/**
 * The URL of a gateway from `Addresses.Gateway` of Kubo's configuration, as seen from where its API is: a gateway that
 * listens on all addresses, or on a loopback address beside an API that is not there, is looked for on the host of the API.
 * @param configured a multiaddr, or several.
 * @param apiUrl scheme, host and port of the API.
 * @returns null when there is no gateway, or one that is not reached over TCP.
 */
export function gatewayUrl(configured: unknown, apiUrl: string): string | null {
  const addresses = Array.isArray(configured) ? configured : [configured]
  for (const address of addresses) {
    const url = typeof address === 'string' ? urlOf(address, new URL(apiUrl)) : null
    if (url !== null) return url
  }
  return null
}

/** `/ip4/127.0.0.1/tcp/8080`, `/ip6/::/tcp/8080`, `/dns4/name/tcp/443/tls/http`, … */
function urlOf(address: string, api: URL): string | null {
  const [, protocol, host, tcp, port, ...rest] = address.split('/')
  if (protocol === undefined || host === undefined || tcp !== 'tcp' || !/^\d{1,5}$/.test(port ?? ''))
    return null
  if (!/^(?:ip[46]|dns[46]?)$/.test(protocol)) return null
  const scheme = rest.includes('tls') || rest.includes('https') ? 'https' : 'http'
  const named =
    anyAddress.has(host) || (isLoopback(host) && !isLoopback(unbracketed(api.hostname))) ? null : host
  return `${scheme}://${named === null ? api.hostname : bracketed(named)}:${port}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
