import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Registry } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Authenticator } from './http/authenticate.ts'
import type { Logger } from './log/logger.ts'
import { beginExchange, reply, type Exchange } from './http/exchange.ts'
import { guardChanges, guardHost, guardOpenMode } from './http/host-guard.ts'
import { onceSent } from './http/http2.ts'
import { listen, type Listener, type ListenerOptions } from './http/listener.ts'
import { dropUnreadBody, refuse } from './http/unread-body.ts'
import { parseIpfsTarget } from './ipfs/route.ts'
import { createIpfsTransport, type IpfsParts } from './ipfs/transport.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { V2Settings } from './v2/call.ts'
import { ociAnswers, ociErrorBody } from './v2/errors.ts'
import { createV2Transport } from './v2/transport.ts'
import { createWebListener } from './web/app.ts'
import type { WebParts } from './web/parts.ts'

/** Everything that a server needs, from the composition root. */
export interface ServerOptions {
  registry: Registry
  authenticator: Authenticator
  log: Logger
  version: string
  listener: Omit<ListenerOptions, 'onConnection' | 'stall'>
  /** Where `/metrics` listens alone, or null: on the same port. */
  metricsListener: { host: string; port: number } | null
  v2: V2Settings
  /** What clients of IPFS find here; null where nothing is shown to them. */
  ipfs: Pick<IpfsParts, 'view' | 'names' | 'peerId' | 'publicUrl'> | null
  /** Longest request target in bytes. */
  uriLimit: number
  /** In open mode: which host names are ours; null where credentials are asked for. */
  openMode: { publicHost: string | null; network: boolean } | null
  /** Host and port for people, when it is not the address that is listened on. */
  publicAddress: string | null
  metrics: Metrics
  /** The numbers of all processes of this replica, for `/metrics`. */
  renderMetrics: WebParts['renderMetrics']
}

/** A server that answers. */
export interface RunningServer {
  readonly addresses: readonly string[]
  /** From now on `/readyz` says that this process is about to stop; everything else goes on. */
  drain(): void
  stop(grace: number): Promise<void>
}

/**
 * Opens the port: `/v2` is ours, everything else a framework's.
 * @throws the system's error when an address cannot be listened on; nothing is left listening then.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { metrics } = options
  let draining = false
  const handler = createHandler(options, () => draining)
  const onConnection = (change: 1 | -1): void => metrics.connections(change)
  const { stall } = options.v2
  const listener = await listen({ ...options.listener, stall, onConnection }, handler)
  const apart = await listenForMetrics(options).catch(async (error: unknown) => {
    await listener.close(0)
    throw error
  })
  return {
    addresses: listener.addresses,
    drain: () => void (draining = true),
    stop: async (grace) => void (await Promise.all([listener.close(grace), apart?.close(grace)])),
  }
}

function createHandler(options: ServerOptions, draining: () => boolean) {
  const { registry, authenticator, log, openMode, metrics } = options
  const v2 = createV2Transport({
    registry,
    shown: options.ipfs?.view ?? null,
    authenticator,
    log,
    settings: options.v2,
    countBytes: (direction, bytes) => metrics.countBytes(direction, bytes),
  })
  const web = createWebListener({
    registry,
    authenticator,
    renderMetrics: options.renderMetrics,
    draining,
    log,
    welcome: {
      host: options.publicAddress ?? `${options.listener.hosts[0]}:${options.listener.port}`,
      version: options.version,
      open: openMode !== null,
      network: openMode?.network === true,
    },
    bodyTime: options.v2.body.window,
    servesMetrics: options.metricsListener === null,
  })
  const ipfs = options.ipfs === null ? null : ipfsTransport(options, options.ipfs)
  return (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const exchange = beginExchange(request, response, expectsContinue)
    const refusal = refusalOf(exchange, options)
    if (refusal !== null) return answerRefusal(exchange, refusal)
    if (exchange.path === '/v2' || exchange.path.startsWith('/v2/')) {
      void v2(exchange).then((route) => observe(metrics, exchange, route))
      return
    }
    const target = ipfs === null ? null : parseIpfsTarget(exchange.path)
    if (ipfs !== null && target !== null) {
      void ipfs(exchange, target).then(() => observe(metrics, exchange, target.kind))
      return
    }
    response.setHeader('X-Request-Id', exchange.id)
    onceSent(response, () => dropUnreadBody(exchange))
    response.once('close', () => observe(metrics, exchange, 'web'))
    web(request, response)
  }
}

function ipfsTransport({ log, v2, metrics }: ServerOptions, shown: NonNullable<ServerOptions['ipfs']>) {
  const { stall, logReads } = v2
  const countSent = (bytes: number): void => metrics.countIpfsBytes('out', bytes)
  return createIpfsTransport({ ...shown, log, stall, logReads, countSent })
}

function observe(metrics: Metrics, { method, response, startedAt }: Exchange, route: string): void {
  metrics.observeRequest(route, method, response.statusCode, (performance.now() - startedAt) / 1000)
}

/** What is refused whatever the path. */
function refusalOf(exchange: Exchange, { openMode, ipfs, uriLimit }: ServerOptions): RegistryError | null {
  const { request, path } = exchange
  if ((request.url?.length ?? 0) > uriLimit) return new RegistryError('URI_TOO_LONG')
  if (!hasOneHost(request)) {
    return new RegistryError('REQUEST_INVALID', 'A request needs one Host header, and no second one.')
  }
  if (!path.startsWith('/')) return new RegistryError('REQUEST_INVALID', 'The request names no path.')
  // Balancers ask for these, often without a host, and pages of other sites learn nothing from them.
  if (path === '/healthz' || path === '/readyz') return null
  try {
    if (ipfs !== null && parseIpfsTarget(path) !== null) {
      // Nothing is changed there, and nothing is shown that is not for everybody.
      if (openMode !== null) guardHost(exchange, openMode.publicHost)
    } else if (openMode === null) guardChanges(exchange)
    else guardOpenMode(exchange, openMode.publicHost)
    return null
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
}

/** A request that names two hosts is read in two ways by two servers (RFC 9112, 3.2; RFC 9113, 8.3.1). */
function hasOneHost({ headers, rawHeaders, httpVersion }: IncomingMessage): boolean {
  const authority = headers[':authority']
  if (authority !== undefined) return headers.host === undefined || headers.host === authority
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0')
}

function answerRefusal(exchange: Exchange, error: RegistryError): void {
  const headers = { 'Content-Type': 'application/json' }
  refuse(exchange, ociAnswers[error.code].status, headers, ociErrorBody(error))
  dropUnreadBody(exchange)
}

async function listenForMetrics(options: ServerOptions): Promise<Listener | null> {
  const { metricsListener: apart, log } = options
  if (apart === null) return null
  return listen(
    { ...options.listener, stall: options.v2.stall, tls: null, hosts: [apart.host], port: apart.port },
    (request, response) => {
      const exchange = beginExchange(request, response)
      if (exchange.path !== '/metrics') return reply(exchange, 404, {})
      options.renderMetrics().then(
        ({ contentType, body }) => reply(exchange, 200, { 'Content-Type': contentType }, body),
        (error: unknown) => {
          log.error('metrics_failed', { error })
          reply(exchange, 500, {})
        },
      )
    },
  )
}
