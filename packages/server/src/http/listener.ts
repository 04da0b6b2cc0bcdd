import {
  createServer,
  ServerResponse,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { RegistryError } from '@openregistry/oci'
import type { Handler } from './exchange.ts'
import { isHttp2 } from './http2.ts'
import { MalformedRequests, refuseConnection } from './malformed-requests.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { createTlsServer } from './tls-server.ts'

/** How a listener treats connections. Times in milliseconds, sizes in bytes. */
export interface ListenerOptions {
  hosts: readonly string[]
  port: number
  /** PEM; null for plain HTTP. With it, clients choose between HTTP/2 and HTTP/1.1. */
  tls: { cert: string; key: string } | null
  maxHeaderSize: number
  headersTimeout: number
  keepAliveTimeout: number
  /** How long a client may take no byte of an answer that waits for it. */
  stall: number
  /** 0: no limit. */
  maxConnections: number
  onConnection?: (change: 1 | -1) => void
}

/** Servers that listen. */
export interface Listener {
  /** One `http://host:port` for each address. */
  readonly addresses: readonly string[]
  /**
   * Takes no new connection and waits for requests in flight, at most `grace` milliseconds; then cuts what is left.
   */
  close(grace: number): Promise<void>
}

/**
 * Listens on every host with the same port. With port 0 the first one chooses.
 * @throws the error of the system (`EADDRINUSE`, `EACCES`, …); nothing is left listening then.
 */
export async function listen(options: ListenerOptions, handler: Handler): Promise<Listener> {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  let port = options.port
  try {
    for (const host of options.hosts) {
      const server = createHttpServer(options, oneAtATime(handler))
      server.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      })
      const listening = await bind(server, host, port, host !== options.hosts[0])
      if (!listening) continue
      servers.push(server)
      port = (server.address() as AddressInfo).port
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  const scheme = options.tls === null ? 'http' : 'https'
  return {
    addresses: servers.map((server) => formatAddress(scheme, server.address() as AddressInfo)),
    close: (grace) => closeAll(servers, sockets, grace),
  }
}

function createHttpServer(options: ListenerOptions, handler: Handler): Server {
  const settings = {
    maxHeaderSize: options.maxHeaderSize,
    headersTimeout: options.headersTimeout,
    keepAliveTimeout: options.keepAliveTimeout,
    // Node's own limit would cut a slow upload that makes progress; bodies have a judge of their own.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, options.headersTimeout),
    noDelay: true,
    // Which hosts a request may name is looked at with everything else.
    requireHostHeader: false,
    ServerResponse: answerWithStallLimit(options.stall),
    // A full piece of a layer arrives in fewer, larger reads.
    highWaterMark: 256 * 1024,
  }
  const malformed = new MalformedRequests()
  const handle: Handler = (request, response, expectsContinue) => {
    malformed.remember(request.socket, response)
    handler(request, response, expectsContinue)
  }
  const onRequest: RequestListener = (request, response) => handle(request, response, false)
  const server =
    options.tls === null
      ? createServer(settings, onRequest)
      : createTlsServer(settings, { ...options, ...options.tls }, onRequest)
  // Their size is limited; beyond a number Node would leave out the rest without a word.
  server.maxHeadersCount = 0
  server.on('checkContinue', (request, response) => handle(request, response, true))
  // Expectations that nobody knows may be ignored (RFC 9110, 10.1.1); Node's own answer has no body.
  server.on('checkExpectation', onRequest)
  server.on('connect', (request, socket: Socket) => {
    // Of HTTP/2 it is a request like all others, with an answer in place of the socket.
    if (isHttp2(request)) return onRequest(request, socket as never)
    refuseConnection(socket, 400, new RegistryError('REQUEST_INVALID', 'This is a registry, not a proxy.'))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => malformed.answer(error, socket))
  if (options.maxConnections > 0) server.maxConnections = options.maxConnections
  server.on('connection', (socket: Socket) => {
    options.onConnection?.(1)
    socket.once('close', () => options.onConnection?.(-1))
  })
  return server
}

/**
 * Answers that are handed over whole wait in memory for a client that does not read, and Node's time limits begin after
 * them. Streams have a limit of their own.
 */
function answerWithStallLimit(stall: number): typeof ServerResponse {
  return class<R extends IncomingMessage> extends ServerResponse<R> {
    override end(chunk?: unknown, encoding?: unknown, callback?: () => void): this {
      super.end(chunk, encoding as BufferEncoding, callback)
      if (this.writableLength > 0) this.setTimeout(stall, () => this.destroy())
      return this
    }
  }
}

/** @returns false when a further address of loopback is not there: machines without IPv6 are fine. */
function bind(server: Server, host: string, port: number, optional: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (optional && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')) resolve(false)
      else reject(error)
    }
    server.once('error', failed)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', failed)
      resolve(true)
    })
  })
}

async function closeAll(
  servers: readonly Server[],
  sockets: ReadonlySet<Socket>,
  grace: number,
): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
  // A connection whose last request ends from now on would otherwise stay for its keep-alive time.
  const idle = setInterval(() => servers.forEach((server) => server.closeIdleConnections()), 50)
  const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), grace)
  await Promise.all(closed)
  clearInterval(idle)
  clearTimeout(cut)
}

function formatAddress(scheme: string, { address, port, family }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
