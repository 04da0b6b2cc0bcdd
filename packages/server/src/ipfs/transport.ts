import {
  answerName,
  answerRasl,
  createGateway,
  createRouting,
  parseGatewayRequest,
  type BlockView,
  type Conditions,
  type ContentAnswer,
  type Gateway,
  type PublishedNames,
  type Routing,
} from '@openregistry/ipfs'
import { RegistryError } from '@openregistry/oci'
import type { Exchange } from '../http/exchange.ts'
import { dropUnreadBody, refuse } from '../http/unread-body.ts'
import type { Logger } from '../log/logger.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { errorHeaders, statusOf } from './errors.ts'
import { addressFor } from './public-address.ts'
import type { IpfsTarget, RoutingQuestion } from './route.ts'
import { sendAnswer } from './send-answer.ts'
import { sendProviders } from './send-providers.ts'

/** What the transport is made of. */
export interface IpfsParts {
  /** What everybody may see. */
  view: BlockView
  /** What the names of repositories lead to. */
  names: PublishedNames
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

/** Answers requests under `/ipfs`, `/ipns`, `/routing` and `/.well-known/rasl`. Never rejects. */
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
      else await answer(call, exchange, target, requireRead(exchange, target))
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

function requireRead({ method, request }: Exchange, target: IpfsTarget): 'GET' | 'HEAD' {
  // Content would rule over everything else on this origin (Path Gateway Specification, "Service-Worker").
  if (request.headers['service-worker'] !== undefined) {
    throw new RegistryError('REQUEST_INVALID', 'Nothing here can be a service worker.')
  }
  if (method === 'GET' || method === 'HEAD') return method
  if (target.kind === 'routing' && target.about === 'ipns') {
    throw new RegistryError(
      'METHOD_NOT_ALLOWED',
      'Records of others are not taken: the names here are those of the repositories, signed by the registry.',
    )
  }
  throw new RegistryError('METHOD_NOT_ALLOWED', `${method} is not possible here; use GET, HEAD, OPTIONS.`)
}

async function answer(
  call: Surfaces,
  exchange: Exchange,
  target: IpfsTarget,
  method: 'GET' | 'HEAD',
): Promise<void> {
  if (target.kind === 'routing' && target.about !== 'ipns') return answerRouting(call, exchange, target)
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

/** What is answered with content of any kind. */
type ContentTarget = Exclude<IpfsTarget, { kind: 'routing' }> | (IpfsTarget & { about: 'ipns' })

function find(
  { gateway, names, view }: Surfaces,
  exchange: Exchange,
  target: ContentTarget,
  conditions: Conditions,
): Promise<ContentAnswer> {
  const { accept } = exchange.request.headers
  const query = new URLSearchParams(exchange.query)
  if (target.kind === 'rasl') return answerRasl(view, target.cid, conditions)
  if (target.kind === 'ipns') {
    return answerName(names, { path: target.path, query, accept, byDefault: false }, conditions)
  }
  if (target.kind === 'routing') {
    return answerName(names, { path: target.name, query, accept, byDefault: true }, conditions)
  }
  const asked = parseGatewayRequest(target.path, query, accept)
  return gateway.answer(asked, conditions)
}

async function answerRouting(
  { routing, publicUrl }: Surfaces,
  exchange: Exchange,
  question: RoutingQuestion,
): Promise<void> {
  if (question.about !== 'providers') {
    throw new RegistryError('ROUTE_UNKNOWN', 'Only providers and the records of names are looked for here.')
  }
  const { cid } = question
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
