import type { Exchange } from './exchange.ts'

/** Bytes and milliseconds that a client may go on sending after it was answered. */
const patience = { bytes: 1024 * 1024, milliseconds: 2000 }

/** Whether an answer now should end the connection, because too much of the body is still to come. */
export function leavesLongBody({ request }: Exchange): boolean {
  if (request.complete) return false
  if (request.headers['transfer-encoding'] !== undefined) return true
  return Number(request.headers['content-length'] ?? 0) > patience.bytes
}

/**
 * Deals with a body that nobody wants after an early answer (401, 404, 416, …). A short one is read and dropped, so that
 * the connection stays useful and the client sees the answer instead of a reset; a long or endless one is cut off.
 */
export function dropUnreadBody({ request }: Exchange): void {
  if (request.complete || request.destroyed) return
  let dropped = 0
  const cut = (): void => void request.destroy()
  const timer = setTimeout(cut, patience.milliseconds)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length
    if (dropped > patience.bytes) cut()
  })
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
  request.on('error', () => undefined)
  request.resume()
}
