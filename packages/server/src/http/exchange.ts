import type { IncomingMessage, ServerResponse } from 'node:http'
import { isHttp2 } from './http2.ts'

/** One request with its answer, as every transport sees it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Unique among all processes; sent as `X-Request-Id` and written in the log. */
  readonly id: string
  readonly method: string
  /** What the client calls this server: of the request target when that is absolute (RFC 9112, 3.2.2), else `Host`. */
  readonly host: string | undefined
  /** The path of the request target, not decoded and not resolved. */
  readonly path: string
  /** The query without its question mark; empty when there is none. */
  readonly query: string
  /** `performance.now()` when it came. */
  readonly startedAt: number
  /** Whether the client waits for `100 Continue` before it sends its body (RFC 9110, 10.1.1). */
  readonly expectsContinue: boolean
}

/** Answers one request. `expectsContinue` when the client waits before it sends its body. */
export type Handler = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => void

const prefix = crypto.randomUUID().slice(0, 13)
let counter = 0

/** Reads the request line. Costs little: it runs for every request. */
export function beginExchange(
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue = false,
): Exchange {
  const { host, target } = splitTarget(request)
  const mark = target.indexOf('?')
  return {
    host,
    request,
    response,
    id: `${prefix}-${(counter++).toString(36)}`,
    method: request.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    startedAt: performance.now(),
    expectsContinue,
  }
}

/** Proxies send the whole address of what they ask for, and every server has to take that (RFC 9112, 3.2.2). */
function splitTarget({ url = '/', headers }: IncomingMessage): { host: string | undefined; target: string } {
  // HTTP/2 has a field of its own for the host (RFC 9113, 8.3.1).
  const host = (headers[':authority'] as string | undefined) ?? headers.host
  if (url.startsWith('/')) return { host, target: url }
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (absolute === null) return { host, target: url }
  const [, named, rest = ''] = absolute
  return { host: named, target: rest.startsWith('/') ? rest : `/${rest}` }
}

/** Names and values of an answer's headers. A list becomes several header lines. */
export type Headers = Record<string, string | number | readonly string[]>

/** Longest body in bytes that leaves with its headers in one piece: what is copied for that costs less than a second piece. */
const inOnePiece = 64 * 1024

/** The bytes as text of which each character is one: Node puts text behind the headers, and sends bytes apart. */
function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

/**
 * Sends an answer whole. To HEAD, and with 204 and 304, the body is left out and its length said where that is allowed
 * (RFC 9110, 8.6).
 *
 * @param ending `after the body`: whole as well, but the response is left open for {@link dropUnreadBody}, which ends it
 * and with it the connection.
 */
export function reply(
  { request, response, method, id }: Exchange,
  status: number,
  headers: Headers,
  body: Uint8Array | string | null = null,
  ending: 'at once' | 'after the body' = 'at once',
): void {
  // The connection broke, or a time limit has answered already.
  if (response.headersSent || response.destroyed) return
  const flat: (string | number | string[])[] = ['X-Request-Id', id]
  for (const name in headers) {
    // Connections of HTTP/2 are not ended by headers (RFC 9113, 8.2.2).
    if (name === 'Connection' && isHttp2(request)) continue
    flat.push(name, headers[name] as string | number | string[])
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (status !== 204 && status !== 304 && headers['Content-Length'] === undefined)
    flat.push('Content-Length', bytes === null ? 0 : bytes.length)
  response.writeHead(status, flat as unknown as string[])
  const sent = bytes === null || method === 'HEAD' ? null : bytes
  if (ending === 'after the body') {
    if (sent === null) response.flushHeaders()
    else response.write(sent)
  } else if (sent === null) response.end()
  else if (sent.length > inOnePiece) response.end(sent)
  else response.end(latin1Of(sent), 'latin1')
}
