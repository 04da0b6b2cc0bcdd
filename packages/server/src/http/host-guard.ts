import { isIP } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { RegistryError } from '@openregistry/oci'

/** What the guards look at. */
interface Guarded {
  method: string
  /** What the client calls this server, with its port. */
  host: string | undefined
  request: { headers: IncomingHttpHeaders }
}

/**
 * Open mode trusts the network position, so a page in a browser must not be able to borrow it: neither by a form or a
 * script on another site, nor by a name that was made to point here (DNS rebinding). Programs send none of these
 * headers, or a host that is an address.
 *
 * @param publicHost the host of `http.public_url`, without port, or null.
 * @throws RegistryError `ORIGIN_REFUSED` saying which header, and what to configure.
 */
export function guardOpenMode(guarded: Guarded, publicHost: string | null): void {
  guardHost(guarded, publicHost)
  const { method, host, request } = guarded
  const { headers } = request
  if (headers['sec-fetch-site'] === 'cross-site' && !isNavigation(method, headers)) throw foreignPage()
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, host)) throw foreignPage(headers.origin)
}

/** The last host that was ours: most requests name the same one, and need not have it taken apart. */
let lastKnown: { host: string | undefined; publicHost: string | null } = { host: undefined, publicHost: null }

/**
 * What everybody may read, pages of all sites may read too; a name that was made to point here is still refused.
 * @param publicHost as above.
 * @throws RegistryError `ORIGIN_REFUSED`.
 */
export function guardHost({ host }: Pick<Guarded, 'host'>, publicHost: string | null): void {
  if (host !== undefined && host === lastKnown.host && publicHost === lastKnown.publicHost) return
  const name = hostOf(host ?? '')
  if (name !== null && isKnownHost(name, publicHost)) return void (lastKnown = { host, publicHost })
  // What is no name is not repeated: it may be an address with a password in it.
  const which = name === null ? 'of this request' : JSON.stringify(name)
  throw new RegistryError(
    'ORIGIN_REFUSED',
    `This open registry does not know the host ${which}. Use its address, or set http.public_url.`,
  )
}

/**
 * With passwords, a browser that knows one adds it to whatever any page sends here. Such a page cannot read the answer,
 * so reading is left to it; it must not change anything.
 * @throws RegistryError `ORIGIN_REFUSED`.
 */
export function guardChanges({ method, host, request: { headers } }: Guarded): void {
  if (method === 'GET' || method === 'HEAD') return
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') throw foreignPage()
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, host)) throw foreignPage(headers.origin)
}

function foreignPage(origin?: string): RegistryError {
  const whose = origin === undefined ? 'other sites' : JSON.stringify(origin)
  return new RegistryError('ORIGIN_REFUSED', `This registry takes no requests from pages of ${whose}.`)
}

function isNavigation(method: string, headers: IncomingHttpHeaders): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate'
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
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
