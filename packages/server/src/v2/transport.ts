import type { Principal, Registry } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Authenticator } from '../http/authenticate.ts'
import type { Logger } from '../log/logger.ts'
import { type Exchange, type Headers } from '../http/exchange.ts'
import { dropUnreadBody, refuse } from '../http/unread-body.ts'
import { type Call, type V2Settings } from './call.ts'
import { ociAnswers, ociErrorBody } from './errors.ts'
import { handleBase, handleExtensions } from './handlers/base.ts'
import { handleDeleteBlob, handleGetBlob, handleHeadBlob } from './handlers/blobs.ts'
import { cidOfName, handleGetBlobByCid, handleGetManifestByCid } from './handlers/ipfs.ts'
import { handleCatalog, handleReferrers, handleTags } from './handlers/lists.ts'
import { handleDeleteManifest, handleGetManifest, handlePutManifest } from './handlers/manifests.ts'
import {
  handleDeleteUpload,
  handlePatchUpload,
  handlePostUpload,
  handlePutUpload,
  handleUploadStatus,
  sessionHeaders,
} from './handlers/uploads.ts'
import { methods, parseTarget, type Target } from './route.ts'

/** What the transport is made of. */
export interface V2Parts {
  registry: Registry
  shown: Call['shown']
  authenticator: Authenticator
  settings: V2Settings
  log: Logger
  countBytes: Call['countBytes']
}

/** Answers requests under `/v2`. Resolves with what the request was about, for the metrics; never rejects. */
export type V2Transport = (exchange: Exchange) => Promise<Target['kind'] | 'unknown'>

/** The OCI distribution API over the use cases. Ours, because names are parsed from the right. */
export function createV2Transport(parts: V2Parts): V2Transport {
  return async (exchange) => {
    const target = parseTarget(exchange.path.slice('/v2'.length))
    try {
      // Wrong credentials are said before anything else, on paths that do not exist too.
      const principal = await authenticate(parts, exchange)
      if (target === null) throw new RegistryError('ROUTE_UNKNOWN')
      requireMethod(exchange, target)
      const { registry, shown, settings, log, countBytes } = parts
      await dispatch({ registry, shown, exchange, principal, settings, log, countBytes }, target)
    } catch (error) {
      answerError(parts, exchange, target, error)
    }
    dropUnreadBody(exchange)
    return target?.kind ?? 'unknown'
  }
}

function authenticate({ authenticator }: V2Parts, { request }: Exchange): Principal | Promise<Principal> {
  return authenticator.authenticate(request.headers)
}

function requireMethod({ method }: Exchange, target: Target): void {
  const allowed = methods[target.kind]
  if (allowed.includes(method)) return
  throw new RegistryError('METHOD_NOT_ALLOWED', `${method} is not possible here; use ${allowed.join(', ')}.`)
}

function dispatch(call: Call, target: Target): Promise<void> | void {
  return byCid(call, target) ?? byName(call, target)
}

/** What is read below `ipfs/<cid>`; null for everything else, what would change something there included. */
function byCid(call: Call, target: Target): Promise<void> | null {
  const { method } = call.exchange
  if ((target.kind !== 'manifest' && target.kind !== 'blob') || (method !== 'GET' && method !== 'HEAD'))
    return null
  const cid = call.shown === null ? null : cidOfName(target.name)
  if (call.shown === null || cid === null) return null
  return target.kind === 'manifest'
    ? handleGetManifestByCid(call, call.shown, cid, target.reference)
    : handleGetBlobByCid(call, call.shown, cid, target.digest)
}

function byName(call: Call, target: Target): Promise<void> | void {
  const { method } = call.exchange
  switch (target.kind) {
    case 'base':
      return handleBase(call)
    case 'catalog':
      return handleCatalog(call)
    case 'extensions':
      return handleExtensions(call, target.name)
    case 'tags':
      return handleTags(call, target.name)
    case 'referrers':
      return handleReferrers(call, target.name, target.digest)
    case 'manifest':
      if (method === 'PUT') return handlePutManifest(call, target.name, target.reference)
      if (method === 'DELETE') return handleDeleteManifest(call, target.name, target.reference)
      return handleGetManifest(call, target.name, target.reference)
    case 'blob':
      if (method === 'HEAD') return handleHeadBlob(call, target.name, target.digest)
      if (method === 'DELETE') return handleDeleteBlob(call, target.name, target.digest)
      return handleGetBlob(call, target.name, target.digest)
    case 'uploads':
      return handlePostUpload(call, target.name)
    case 'upload':
      if (method === 'PATCH') return handlePatchUpload(call, target.name, target.id)
      if (method === 'PUT') return handlePutUpload(call, target.name, target.id)
      if (method === 'DELETE') return handleDeleteUpload(call, target.name, target.id)
      return handleUploadStatus(call, target.name, target.id)
  }
}

function answerError(
  { authenticator, log }: V2Parts,
  exchange: Exchange,
  target: Target | null,
  thrown: unknown,
): void {
  const error =
    thrown instanceof RegistryError ? thrown : new RegistryError('INTERNAL', undefined, { cause: thrown })
  const { status } = ociAnswers[error.code]
  if (status >= 500) {
    log.error('request_failed', {
      request_id: exchange.id,
      code: error.code,
      method: exchange.method,
      error: error.cause ?? error,
    })
  }
  const { response } = exchange
  if (response.headersSent) {
    // Half an answer must not look like a whole one; one that a time limit sent is whole.
    if (!response.writableEnded) response.destroy()
    return
  }
  const headers: Headers = {
    'Content-Type': 'application/json',
    'Docker-Distribution-Api-Version': 'registry/2.0',
    ...extraHeaders(error, target),
  }
  if (status === 401 && authenticator.challenge !== null)
    headers['WWW-Authenticate'] = authenticator.challenge
  refuse(exchange, status, headers, ociErrorBody(error))
}

/** Headers that tell a client how to go on after this error. */
function extraHeaders({ code, detail }: RegistryError, target: Target | null): Headers {
  if (code === 'METHOD_NOT_ALLOWED' && target !== null) return { Allow: methods[target.kind].join(', ') }
  if (code === 'TOOMANYREQUESTS' || code === 'SHUTTING_DOWN') return { 'Retry-After': 5 }
  if (code === 'RANGE_INVALID') return { 'Content-Range': `bytes */${(detail as { size: number }).size}` }
  if (code === 'UPLOAD_OFFSET_MISMATCH' && target?.kind === 'upload') {
    const { offset } = detail as { offset: number }
    return sessionHeaders({ id: target.id as never, repository: { name: target.name } }, offset)
  }
  return {}
}
