import type { IncomingMessage } from 'node:http'
import { RegistryError } from '@openregistry/oci'

/** How much of a body is taken, in bytes, and how long it may take, in milliseconds. */
export interface SmallBodyLimits {
  size: number
  time: number
}

/**
 * A body that is held whole because it is small.
 * @throws RegistryError `BODY_TOO_LARGE`, `REQUEST_TIMEOUT`, `REQUEST_INVALID` when the connection breaks.
 */
export function readSmallBody(
  request: IncomingMessage,
  { size: limit, time }: SmallBodyLimits,
): Promise<Buffer<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer<ArrayBuffer>>()
  const tooLarge = (): void =>
    reject(new RegistryError('BODY_TOO_LARGE', `The body is larger than ${limit} bytes.`))
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    tooLarge()
    return promise
  }
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer): void => {
    size += chunk.length
    chunks.push(chunk)
    if (size > limit) tooLarge()
  }
  const onBroken = (): void => reject(new RegistryError('REQUEST_INVALID', 'The body did not arrive whole.'))
  // A stream of HTTP/2 that is reset ends, too, and says nothing but this.
  const onEnd = (): void => (request.aborted ? onBroken() : resolve(Buffer.concat(chunks)))
  const timer = setTimeout(() => reject(new RegistryError('REQUEST_TIMEOUT')), time)
  request.on('data', onData).once('end', onEnd).once('error', onBroken)
  return promise.finally(() => {
    clearTimeout(timer)
    request.off('data', onData).off('end', onEnd).off('error', onBroken)
  })
}
