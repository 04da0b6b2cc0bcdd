import type { Principal, Registry } from '@openregistry/core'
import type { BlockView } from '@openregistry/ipfs'
import { RegistryError, type Digest, type RepositoryName } from '@openregistry/oci'
import type { BodyLimits } from '../http/body.ts'
import type { LogFields, Logger } from '../log/logger.ts'
import { reply, type Exchange, type Headers } from '../http/exchange.ts'
import { ociErrorBody } from './errors.ts'

/** What the transport of `/v2` needs to know. */
export interface V2Settings {
  /** Largest manifest in bytes. */
  manifestLimit: number
  body: BodyLimits
  /** Milliseconds after which a client that takes no byte is cut off. */
  stall: number
  /** Whether reads are logged, too. */
  logReads: boolean
}

/** One request under `/v2` with everything that its handler may use: use cases, never ports. */
export interface Call {
  readonly registry: Registry
  /** What everybody may see, by its CID; null where nothing is shown to IPFS. */
  readonly shown: BlockView | null
  readonly exchange: Exchange
  readonly principal: Principal
  readonly settings: V2Settings
  readonly log: Logger
  /** Counts bytes that went in (`push`) or out (`pull`). */
  readonly countBytes: (direction: 'push' | 'pull', bytes: number) => void
}

/** Sends an answer with the header that old clients look for. */
export function answer(
  { exchange }: Call,
  status: number,
  headers: Headers,
  body: Uint8Array | string | null = null,
): void {
  headers['Docker-Distribution-Api-Version'] = 'registry/2.0'
  reply(exchange, status, headers, body)
}

/** Sends JSON. */
export function answerJson(call: Call, status: number, headers: Headers, body: unknown): void {
  headers['Content-Type'] ??= 'application/json'
  answer(call, status, headers, typeof body === 'string' ? body : JSON.stringify(body))
}

/** Tells a client whose body came too slowly, and what it can do. Its connection ends with this answer. */
export function answerTooSlow(call: Call, repository: string, advice = 'try again'): void {
  const error = new RegistryError('REQUEST_TIMEOUT', `No data came for too long; ${advice}.`)
  call.log.warn('client_too_slow', { request_id: call.exchange.id, repository })
  answerJson(call, 408, { Connection: 'close' }, ociErrorBody(error))
}

/** Where a blob can be pulled. Relative to the server, so that no proxy in between can spoil it. */
export function blobLocation(name: RepositoryName, digest: Digest): string {
  return `/v2/${name}/blobs/${digest}`
}

/** The query, parsed; empty when there is none. */
export function queryOf({ exchange }: Call): URLSearchParams {
  return new URLSearchParams(exchange.query)
}

/**
 * A whole number of a query, or null when it is missing.
 * @throws RegistryError `PARAMETER_INVALID` for text, a fraction or a negative number.
 */
export function wholeNumber(query: URLSearchParams, name: string): number | null {
  const text = query.get(name)
  if (text === null) return null
  if (!/^[0-9]{1,18}$/.test(text)) {
    throw new RegistryError('PARAMETER_INVALID', `The parameter "${name}" must be a whole number from 0.`)
  }
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/** The header that leads to the next page (RFC 8288), relative like every location. */
export function nextLink(path: string, parameters: Record<string, string | number | null>): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return `<${path}?${query.join('&')}>; rel="next"`
}

/** Writes the line of an event that changed something, or of a read when those are wanted. */
export function logEvent(
  call: Call,
  event: string,
  fields: LogFields,
  kind: 'write' | 'read' = 'write',
): void {
  if (kind === 'read' && !call.settings.logReads) return
  call.log.info(event, {
    request_id: call.exchange.id,
    ...fields,
    duration_ms: Math.round(performance.now() - call.exchange.startedAt),
    principal: call.principal.kind === 'user' ? call.principal.name : call.principal.kind,
  })
}
