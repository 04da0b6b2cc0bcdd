import { RawConnection, type HttpResponse } from '@openregistry/testkit'

/**
 * Sends bytes on a connection of their own and reads one answer. Null when the server closed without one.
 * @param bytes text is sent as Latin-1
 * @param options `ends`: the client says that it sends no more, so that nobody waits for the rest of a request.
 */
export async function rawRequest(
  origin: URL,
  bytes: string,
  options: { toHead?: boolean; ends?: boolean } = {},
): Promise<HttpResponse | null> {
  using connection = await RawConnection.open(origin)
  connection.write(bytes)
  if (options.ends === true) connection.end()
  return await connection.response(options)
}

/** A request without a body for exactly this target: neither decoded nor resolved nor escaped on its way. */
export function rawTarget(
  origin: URL,
  method: string,
  target: string,
  headers = '',
): Promise<HttpResponse | null> {
  const text = `${method} ${target} HTTP/1.1\r\nHost: ${origin.host}\r\n${headers}\r\n`
  return rawRequest(origin, text, { toHead: method === 'HEAD' })
}
