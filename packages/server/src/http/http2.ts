/*
 * HTTP/2 looks like HTTP/1.1 to handlers, thanks to Node's compatibility layer; what that leaves different is put right
 * here. The dangerous one: destroying such an answer ends it, so that a part would look like the whole.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2'

/** A request of HTTP/2 that behaves as one of HTTP/1.1. */
export class Http2Request extends Http2ServerRequest {
  /** Ends what the client sends, as closing its connection would: with an error unless it has its whole answer. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { stream } = this
    const isAnswered = stream.writableEnded
    const end = (): void =>
      stream.close(isAnswered ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR)
    // Closing a stream takes its time limits away, so an answer that still waits for its client goes first.
    if (isAnswered && !stream.writableFinished) stream.once('finish', end)
    else end()
    callback(error)
  }
}

/** The answer to one. */
export function http2ResponseWithStallLimit(stall: number): typeof Http2ServerResponse {
  return class extends Http2ServerResponse {
    constructor(stream: ServerHttp2Stream) {
      super(stream)
      // Node's own does not have it.
      Object.defineProperty(this, 'destroyed', { get: () => stream.destroyed })
    }

    /** Cuts the answer off. Node would end the stream as if all had been said. */
    override destroy(): this {
      if (!this.stream.destroyed) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      return this
    }

    override end(...content: unknown[]): this {
      super.end(...(content as []))
      // As with HTTP/1.1: an answer that waits for its client waits only so long.
      if (this.stream.writableLength > 0) this.stream.setTimeout(stall, () => this.destroy())
      return this
    }
  } as unknown as typeof Http2ServerResponse
}

/** The stream of HTTP/2 beneath, or null for HTTP/1. */
function http2Of(message: IncomingMessage | ServerResponse): ServerHttp2Stream | null {
  const { stream } = message as unknown as { stream?: ServerHttp2Stream }
  return stream ?? null
}

/** Whether a request came by HTTP/2. */
export function isHttp2({ httpVersionMajor }: Pick<IncomingMessage, 'httpVersionMajor'>): boolean {
  return httpVersionMajor === 2
}

/** Whether a request of HTTP/2 says that it has no body (RFC 9113, 8.1). */
export function endsWithHeaders(request: IncomingMessage): boolean {
  return http2Of(request)?.endAfterHeaders === true
}

/** Whether there is nothing more to come. Of HTTP/2 Node says so only once somebody has read to the end. */
export function isComplete(request: IncomingMessage): boolean {
  return request.complete || endsWithHeaders(request)
}

/** Calls once the answer was handed over. Node says `finish` of HTTP/2 only when the client has ended, too. */
export function onceSent(response: ServerResponse, callback: () => void): void {
  const stream = http2Of(response)
  if (stream === null) response.once('finish', callback)
  else if (stream.writableFinished) callback()
  else stream.once('finish', callback)
}
