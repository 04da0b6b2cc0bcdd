import { isIP } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { RegistryError } from '@openregistry/oci'

/**
 * Open mode trusts the network position, so a page in a browser must not be able to borrow it: neither by a form or a
 * script on another site, nor by a name that was made to point here (DNS rebinding). Programs send none of these
 * headers, or a host that is an address.
 *
 * @param publicHost the host of `http.public_url`, without port, or null.
 * @throws RegistryError `ORIGIN_REFUSED` saying which header, and what to configure.
 */
export function guardOpenMode(method: string, headers: IncomingHttpHeaders, publicHost: string | null): void {
  const host = hostOf(headers.host ?? '')
  if (host === null || !isKnownHost(host, publicHost)) {
    throw new RegistryError(
      'ORIGIN_REFUSED',
      `This open registry does not know the host "${headers.host ?? ''}". Use its address, or set http.public_url.`,
    )
  }
  if (headers['sec-fetch-site'] === 'cross-site' && !isNavigation(method, headers)) {
    throw new RegistryError(
      'ORIGIN_REFUSED',
      'This open registry takes no requests from pages of other sites.',
    )
  }
  const origin = headers.origin
  if (origin !== undefined && !isOwnOrigin(origin, headers.host ?? '')) {
    throw new RegistryError(
      'ORIGIN_REFUSED',
      `This open registry takes no requests from pages of ${JSON.stringify(origin)}.`,
    )
  }
}

function isNavigation(method: string, headers: IncomingHttpHeaders): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate'
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

function isKnownHost(host: string, publicHost: string | null): boolean {
  return host === 'localhost' || host === publicHost || isIP(host) !== 0
}

/** The host of a `Host` header in lower case, without port and brackets; null when it is malformed. */
function hostOf(header: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header)
  return match === null ? null : (match[1] ?? match[2] ?? '').toLowerCase()
}
