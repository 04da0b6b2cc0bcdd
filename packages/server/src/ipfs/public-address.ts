import type { TLSSocket } from 'node:tls'
import type { Exchange } from '../http/exchange.ts'

/**
 * Where this server can be reached by whoever asks: as configured, else as they have reached it just now.
 * @param publicUrl `http.public_url`.
 */
export function addressFor({ request, host }: Exchange, publicUrl: URL | null): URL {
  if (publicUrl !== null) return publicUrl
  const socket = request.socket as TLSSocket
  const scheme = socket.encrypted ? 'https' : 'http'
  const asked = URL.parse(`${scheme}://${host ?? ''}`)
  if (asked !== null && asked.host !== '') return asked
  const { localAddress = '127.0.0.1', localPort = 0 } = socket
  return new URL(
    `${scheme}://${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`,
  )
}
