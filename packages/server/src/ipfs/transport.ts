import {
  answerRasl,
  createGateway,
  createRouting,
  parseGatewayRequest,
  type BlockView,
  type Conditions,
  type ContentAnswer,
  type Gateway,
  type Routing,
} from '@openregistry/ipfs'
import { RegistryError } from '@openregistry/oci'
import type { Exchange } from '../http/exchange.ts'
import { dropUnreadBody, refuse } from '../http/unread-body.ts'
import type { Logger } from '../log/logger.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { errorHeaders, statusOf } from './errors.ts'
import { addressFor } from './public-address.ts'
import type { IpfsTarget } from './route.ts'
import { sendAnswer } from './send-answer.ts'
import { sendProviders } from './send-providers.ts'

/** What the transport is made of. */
export interface IpfsParts {
  /** What everybody may see. */
  view: BlockView
  /** The name of this server among the nodes of the network. */
  peerId: string
  /** `http.public_url`. */
  publicUrl: URL | null
  log: Logger
  /** Milliseconds after which a client that takes no byte is cut off. */
  stall: number
  /** Whether reads are logged, too. */
  logReads: boolean
  countSent(bytes: number): void
}

/** Answers requests under `/ipfs`, `/routing` and `/.well-known/rasl`. Never rejects. */
export type IpfsTransport = (exchange: Exchange, target: IpfsTarget) => Promise<void>

/**
 * The surfaces over HTTP by which clients of IPFS find and fetch what is public here. Who asks makes no difference, so
 * credentials are not looked at.
 */
export function createIpfsTransport(parts: IpfsParts): IpfsTransport {
  const call: Surfaces = {
    ...parts,
    gateway: createGateway(parts.view),
    routing: createRouting(parts.view, parts.peerId),
  }
  return async (exchange, target) => {
    try {
      if (exchange.method === 'OPTIONS') answerPreflight(exchange)
      else await answer(call, exchange, target, requireRead(exchange))
    } catch (error) {
      answerError(parts, exchange, target, error)
    }
    dropUnreadBody(exchange)
  }
}

interface Surfaces extends IpfsParts {
  gateway: Gateway
  routing: Routing
}

function requireRead({ method, request }: Exchange): 'GET' | 'HEAD' {
  // Content would rule over everything else on this origin (Path Gateway Specification, "Service-Worker").
  if (request.headers['service-worker'] !== undefined) {
    throw new RegistryError('REQUEST_INVALID', 'Nothing here can be a service worker.')
  }
  if (method === 'GET' || method === 'HEAD') return method
  throw new RegistryError('METHOD_NOT_ALLOWED', `${method} is not possible here; use GET, HEAD, OPTIONS.`)
}

async function answer(
  call: Surfaces,
  exchange: Exchange,
  target: IpfsTarget,
  method: 'GET' | 'HEAD',
): Promise<void> {
  if (target.kind === 'routing') return answerRouting(call, exchange, target.cid)
  using gone = new GoneSignal(exchange)
  const conditions = conditionsOf(exchange, method, gone.signal)
  await using content = await find(call, exchange, target, conditions)
  const sent = await sendAnswer(exchange, content, call.stall)
  call.countSent(sent)
  if (!call.logReads) return
  call.log.info('ipfs_read', {
    ...{ request_id: exchange.id, path: exchange.path, size: sent },
    duration_ms: Math.round(performance.now() - exchange.startedAt),
  })
}

function find(
  { gateway, view }: Surfaces,
  { query, request }: Exchange,
  target: Exclude<IpfsTarget, { kind: 'routing' }>,
  conditions: Conditions,
): Promise<ContentAnswer> {
  if (target.kind === 'rasl') return answerRasl(view, target.cid, conditions)
  const asked = parseGatewayRequest(target.path, new URLSearchParams(query), request.headers.accept)
  return gateway.answer(asked, conditions)
}

async function answerRouting(
  { routing, publicUrl }: Surfaces,
  exchange: Exchange,
  cid: string | null,
): Promise<void> {
  if (cid === null) throw new RegistryError('ROUTE_UNKNOWN', 'Only providers are looked for here.')
  const query = new URLSearchParams(exchange.query)
  sendProviders(exchange, await routing.providers({ cid, query, url: addressFor(exchange, publicUrl) }))
}

function conditionsOf({ request }: Exchange, method: 'GET' | 'HEAD', signal: AbortSignal): Conditions {
  const { headers } = request
  return {
    ...{ method, signal, ifNoneMatch: headers['if-none-match'] },
    ...{ range: headers.range, ifRange: headers['if-range'] as string | undefined },
    onlyIfCached: /(?:^|[,\s])only-if-cached(?:$|[,\s])/i.test(headers['cache-control'] ?? ''),
  }
}

/** Aborts what is done for a client that is not there any more. */
class GoneSignal implements Disposable {
  readonly #exchange: Exchange
  readonly #controller = new AbortController()
  readonly #onClose = (): void => this.#controller.abort()

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    exchange.response.once('close', this.#onClose)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  [Symbol.dispose](): void {
    this.#exchange.response.off('close', this.#onClose)
  }
}

function answerError({ log }: IpfsParts, exchange: Exchange, target: IpfsTarget, thrown: unknown): void {
  const { response } = exchange
  const error =
    thrown instanceof RegistryError ? thrown : new RegistryError('INTERNAL', undefined, { cause: thrown })
  const status = statusOf(error, target.kind)
  const isGone = thrown instanceof Error && thrown.name === 'AbortError' && response.destroyed
  if (status >= 500 && status !== 501 && !isGone) {
    log.error('request_failed', {
      ...{ request_id: exchange.id, code: error.code, method: exchange.method },
      error: error.cause ?? error,
    })
  }
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    if (!response.writableEnded) response.destroy()
    return
  }
  refuse(exchange, status, { ...openToAll, ...errorHeaders(error) }, `${error.message}\n`)
}
