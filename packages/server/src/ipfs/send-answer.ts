import type { ContentAnswer } from '@openregistry/ipfs'
import { reply, type Exchange, type Headers } from '../http/exchange.ts'
import { sendStream } from '../http/send-stream.ts'
import { openToAll } from './cors.ts'

/**
 * Sends what a surface answered.
 * @param stall milliseconds after which a client that takes no byte is cut off.
 * @returns bytes of content that were sent.
 * @throws what the stream throws; the connection is then destroyed, never ended cleanly.
 */
export async function sendAnswer(
  exchange: Exchange,
  { status, headers: own, length, body }: ContentAnswer,
  stall: number,
): Promise<number> {
  const headers: Headers = { ...openToAll, ...own }
  if (length !== null) headers['Content-Length'] = length
  if (body instanceof Uint8Array) {
    reply(exchange, status, headers, body)
    return body.length
  }
  const { response, id } = exchange
  if (response.headersSent || response.destroyed) return 0
  response.writeHead(status, { 'X-Request-Id': id, ...headers } as Record<string, string | number>)
  if (body === null) {
    response.end()
    return 0
  }
  return (await sendStream(response, { chunks: body, length, stall })).sent
}
