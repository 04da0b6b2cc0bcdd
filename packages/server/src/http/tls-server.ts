import type { RequestListener, Server, ServerOptions } from 'node:http'
import { createSecureServer, type SecureServerOptions, type ServerHttp2Session } from 'node:http2'
import { Http2Request, http2ResponseWithStallLimit } from './http2.ts'

/** How the port speaks TLS. Times in milliseconds. */
export interface TlsServerOptions {
  /** PEM. */
  cert: string
  key: string
  maxHeaderSize: number
  headersTimeout: number
  keepAliveTimeout: number
  stall: number
}

/**
 * Bytes that a client may send before they were read: of one body, and of all bodies on a connection. The 64 KiB that the
 * protocol begins with would make uploads wait for the network all the time; what is not read lies in memory.
 */
const windows = { stream: 2 * 1024 * 1024, connection: 8 * 1024 * 1024 }

/** Requests at one time on one connection; Kubo asks for 16 blocks. Each may have a block or a manifest in memory. */
const maxConcurrentStreams = 32

/** MiB that one connection may need: an answer of 2 MiB for each request, and the windows. */
const maxSessionMemory = 80

/** Bytes of a connection's memory that may be lost to answers that were given up. */
const lostAtMost = 16 * 1024 * 1024

/**
 * One port for HTTP/2 and HTTP/1.1: the client chooses (ALPN, RFC 7301).
 * @param http1 what connections with HTTP/1.1 are served with.
 */
export function createTlsServer(
  http1: ServerOptions,
  { cert, key, maxHeaderSize, headersTimeout, keepAliveTimeout, stall }: TlsServerOptions,
  onRequest: RequestListener,
): Server {
  const options = {
    ...{ cert, key, allowHTTP1: true, http1Options: http1, maxSessionMemory },
    handshakeTimeout: headersTimeout,
    noDelay: true,
    settings: {
      enablePush: false,
      initialWindowSize: windows.stream,
      maxConcurrentStreams,
      maxHeaderListSize: maxHeaderSize,
    },
    Http2ServerRequest: Http2Request,
    Http2ServerResponse: http2ResponseWithStallLimit(stall),
  } as SecureServerOptions
  const server = createSecureServer(options, onRequest as never)
  server.on('session', (session) => {
    session.setLocalWindowSize(windows.connection)
    closeWhenIdle(session, keepAliveTimeout)
    closeWhenSpent(session)
  })
  return server as unknown as Server
}

/** Ends a connection on which nothing happens, as keep-alive does for HTTP/1.1. */
function closeWhenIdle(session: ServerHttp2Session, keepAliveTimeout: number): void {
  let open = 0
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
  })
  session.setTimeout(keepAliveTimeout)
  session.on('timeout', () => void (open === 0 && session.close()))
}

/**
 * Asks a client for a new connection once much of the memory of this one is lost: what an answer still had to send when its
 * client gave it up is counted for ever, and when nothing is left Node refuses all requests. Clients that ask several
 * servers for the same and keep the first answer get there soon. Requests under way are answered, one that crosses the notice
 * is refused unread, and asked again (RFC 9113, 8.7).
 */
function closeWhenSpent(session: ServerHttp2Session): void {
  let lost = 0
  session.on('stream', (stream) => {
    stream.once('aborted', () => {
      lost += stream.writableLength
      if (lost > lostAtMost && !session.closed) session.close()
    })
  })
}
