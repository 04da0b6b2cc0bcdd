import { reply, type Exchange, type Headers } from './exchange.ts'
import { isComplete, isHttp2 } from './http2.ts'

/** Bytes and milliseconds that a client may go on sending after it was answered, and keep its connection. */
const patience = { bytes: 1024 * 1024, milliseconds: 2000 }

/**
 * Bytes that are taken from a client that was told that its connection ends. More than it can have sent before it knows
 * that: a reset that overtakes the answer would leave it with nothing but "broken pipe".
 */
const lingering = 64 * 1024 * 1024

/**
 * Answers without having read the body, or all of it; {@link dropUnreadBody} has to follow. Too long a rest costs the
 * client its connection.
 */
export function refuse(exchange: Exchange, status: number, headers: Headers, body: string): void {
  if (!leavesLongBody(exchange)) return reply(exchange, status, headers, body)
  reply(exchange, status, { ...headers, Connection: 'close' }, body, 'after the body')
}

function leavesLongBody({ request }: Exchange): boolean {
  // A body of HTTP/2 is stopped without its connection.
  if (isComplete(request) || isHttp2(request)) return false
  if (request.headers['transfer-encoding'] !== undefined) return true
  return Number(request.headers['content-length'] ?? 0) > patience.bytes
}

/**
 * Deals with a body that nobody wants after an early answer (401, 404, 416, …). A short one is read and dropped, so that
 * the connection stays useful and the client sees the answer instead of a reset; a long or endless one is cut off. An
 * answer that was left open ends then, and with it the connection (RFC 9112, 9.6).
 */
export function dropUnreadBody({ request, response }: Exchange): void {
  const ends = response.headersSent && !response.writableEnded && !response.destroyed
  if (isComplete(request) || request.destroyed) return void (ends && response.end())
  const limit = ends ? lingering : patience.bytes
  let dropped = 0
  const stop = (): void => {
    clearTimeout(timer)
    if (ends) response.end()
    else if (!isComplete(request)) request.destroy()
  }
  const timer = setTimeout(stop, patience.milliseconds)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length
    if (dropped > limit) stop()
  })
  request.once('close', stop).once('end', stop)
  request.on('error', () => undefined)
  request.resume()
}
