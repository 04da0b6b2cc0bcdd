import type { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.ts'
import { endsWithHeaders, isHttp2, onceSent } from './http2.ts'

/** Time limits of a body. A slow client that makes progress is never cut; one that only holds a connection is. */
export interface BodyLimits {
  /** Milliseconds of waiting for the client after which its progress is judged. */
  window: number
  /** Bytes a second that it must have sent by then; at least one byte is asked for. */
  minimumRate: number
}

/** A request's body as a stream that is never held whole. */
export interface RequestBody {
  /**
   * Bytes as they come. A chunk is valid until the next one is asked for. Ends early, without a fault, when the
   * connection breaks.
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /** `Content-Length`, or null with chunked transfer encoding. */
  readonly length: number | null
  /** Whether the stream ended because the connection broke or the client was too slow. */
  interrupted(): boolean
}

/** Whether the request has a body that is not known to be empty (RFC 9112, 6.3; RFC 9113, 8.1). */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  if (length === undefined && isHttp2(request)) return !endsWithHeaders(request)
  return length !== undefined && length !== '0'
}

/**
 * The body of a request.
 * @param onTimeout answers the client that it was too slow; the connection is closed once that is sent.
 */
export function requestBody(exchange: Exchange, limits: BodyLimits, onTimeout: () => void): RequestBody {
  const { request } = exchange
  const length = request.headers['content-length']
  let interrupted = false
  return {
    chunks: readBody(exchange, limits, onTimeout, () => (interrupted = true)),
    length:
      length === undefined || request.headers['transfer-encoding'] !== undefined ? null : Number(length),
    interrupted: () => interrupted,
  }
}

async function* readBody(
  { request, response, expectsContinue }: Exchange,
  limits: BodyLimits,
  onTimeout: () => void,
  onInterrupted: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (expectsContinue) response.writeContinue()
  const pace = new Pace(limits, () => {
    onceSent(response, () => void request.destroy())
    onTimeout()
  })
  const chunks = request.iterator({ destroyOnReturn: false })
  try {
    while (true) {
      pace.wait()
      const next = await chunks.next()
      pace.resume()
      if (next.done === true) return
      const chunk = next.value as Uint8Array
      pace.count(chunk.length)
      yield chunk
      free(chunk)
    }
  } catch (error) {
    if (!isDisconnect(error) && !request.destroyed) throw error
    onInterrupted()
  } finally {
    pace.stop()
    // Whoever stops early leaves a rest behind, which can only be dropped once nothing else listens for it.
    await chunks.return?.()
  }
}

/**
 * Gives the memory of a chunk back at once. A fast upload brings thousands of 64 KiB buffers a second; left to the garbage
 * collector they make it walk the whole heap dozens of times a second.
 */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** Judges how fast a client sends, by the time that we really waited for it: our own disk is not its fault. */
class Pace {
  readonly #limits: BodyLimits
  readonly #timer: NodeJS.Timeout
  #bytes = 0
  #waited = 0
  #waitingSince: number | null = null

  constructor(limits: BodyLimits, onTooSlow: () => void) {
    this.#limits = limits
    this.#timer = setInterval(() => this.#judge(onTooSlow), limits.window)
    this.#timer.unref()
  }

  wait(): void {
    this.#waitingSince = performance.now()
  }

  resume(): void {
    if (this.#waitingSince !== null) this.#waited += performance.now() - this.#waitingSince
    this.#waitingSince = null
  }

  count(bytes: number): void {
    this.#bytes += bytes
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #judge(onTooSlow: () => void): void {
    const waiting = this.#waitingSince !== null
    this.resume()
    if (waiting) this.wait()
    if (this.#waited < this.#limits.window * 0.9) return
    const needed = Math.max(1, (this.#limits.minimumRate * this.#waited) / 1000)
    if (this.#bytes < needed) onTooSlow()
    this.#waited = 0
    this.#bytes = 0
  }
}

function isDisconnect(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return (
    code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR'
  )
}
