import type { StoredManifest } from '@openregistry/core'
import { dagPbCid } from '@openregistry/dag'
import {
  RegistryError,
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
} from '@openregistry/oci'
import { hasBody, requestBody } from '../../http/body.ts'
import type { Headers } from '../../http/exchange.ts'
import { answer, answerTooSlow, logEvent, queryOf, type Call } from '../call.ts'
import { entityTag, immutableForever, isNotModified } from '../conditional.ts'
import { warnings } from '../warnings.ts'

/** `GET` and `HEAD /v2/<name>/manifests/<reference>` (end-3): the bytes that were pushed. */
export async function handleGetManifest(call: Call, name: string, referenceText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const reference = readableReference(referenceText)
  const isHead = call.exchange.method === 'HEAD'
  const manifest = await call.registry.getManifest(call.principal, { repository, reference, bytes: !isHead })
  const { digest, cid, size } = manifest
  const headers = manifestHeaders(manifest, reference.kind === 'digest' ? immutableForever : 'no-cache')
  if (manifest.layoutRoot !== null) headers['OpenRegistry-Layout-Cid'] = dagPbCid(manifest.layoutRoot)
  if (isNotModified(call.exchange, digest)) return answer(call, 304, headers)
  headers['Content-Length'] = size
  answer(call, 200, headers, manifest.bytes)
  if (isHead) return
  call.countBytes('pull', size)
  logEvent(call, 'manifest_pull', { repository, digest, ipfs_cid: cid, size }, 'read')
}

/** What is said of a manifest. */
export function manifestHeaders(
  { digest, mediaType, cid }: Pick<StoredManifest, 'digest' | 'mediaType' | 'cid'>,
  caching: string,
): Headers {
  return {
    'Content-Type': mediaType,
    'Docker-Content-Digest': digest,
    ETag: entityTag(digest),
    'OpenRegistry-Cid': cid,
    'Cache-Control': caching,
  }
}

/** What no manifest can be called is a manifest that is not there ("Pulling manifests": 404), not a bad request. */
export function readableReference(text: string): Reference {
  try {
    return parseReference(text)
  } catch (error) {
    throw new RegistryError('MANIFEST_UNKNOWN', error instanceof RegistryError ? error.message : undefined)
  }
}

/** `PUT /v2/<name>/manifests/<reference>` (end-7a, 7b): with further tags as `?tag=` when pushed by digest. */
export async function handlePutManifest(call: Call, name: string, referenceText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const reference = parseReference(referenceText)
  const tags = queryOf(call).getAll('tag').map(parseTag)
  // A manifest is held whole, so nobody sends one who may not push it.
  await call.registry.requirePush(call.principal, { repository })
  const bytes = await readManifest(call, repository)
  const contentType = call.exchange.request.headers['content-type'] ?? null
  const stored = await call.registry.putManifest(call.principal, {
    repository,
    reference,
    tags,
    contentType,
    bytes,
  })
  const headers: Headers = {
    Location: `/v2/${repository}/manifests/${stored.digest}`,
    'Docker-Content-Digest': stored.digest,
    'OpenRegistry-Cid': stored.cid,
  }
  if (stored.subject !== null) headers['OCI-Subject'] = stored.subject
  if (tags.length > 0) headers['OCI-Tag'] = stored.tags
  if (stored.missing.length > 0) {
    headers['Warning'] = warnings(
      stored.missing.map((digest) => `The index names ${digest}, which is not here yet.`),
    )
  }
  answer(call, 201, headers)
  call.countBytes('push', bytes.length)
  const tag = stored.tags.length > 0 ? stored.tags.join(',') : undefined
  logEvent(call, 'manifest_push', {
    repository,
    digest: stored.digest,
    ipfs_cid: stored.cid,
    size: bytes.length,
    tag,
  })
}

/** `DELETE /v2/<name>/manifests/<reference>` (end-9): a tag alone, or a manifest with its tags. */
export async function handleDeleteManifest(call: Call, name: string, referenceText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const reference = parseReference(referenceText)
  const { restorableUntil } = await call.registry.deleteManifest(call.principal, { repository, reference })
  const headers: Headers =
    restorableUntil === null
      ? {}
      : { 'OpenRegistry-Restorable-Until': new Date(restorableUntil).toISOString() }
  answer(call, 202, headers)
  const what = reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest }
  logEvent(call, 'manifest_delete', { repository, ...what })
}

/** The body, which is held in memory: it is parsed as a whole, and bounded by the limit. */
async function readManifest(call: Call, repository: RepositoryName): Promise<Uint8Array> {
  const { exchange, settings } = call
  if (!hasBody(exchange.request))
    throw new RegistryError('MANIFEST_INVALID', 'The request has no manifest in its body.')
  const tooLarge = new RegistryError(
    'MANIFEST_TOO_LARGE',
    `The manifest is larger than ${settings.manifestLimit} bytes (limits.manifest).`,
  )
  const body = requestBody(exchange, settings.body, () => answerTooSlow(call, repository))
  if (body.length !== null && body.length > settings.manifestLimit) throw tooLarge
  // One buffer that grows: a client may send chunks of a byte each, and each would be an object.
  let bytes = new Uint8Array(16 * 1024)
  let size = 0
  for await (const chunk of body.chunks) {
    if (size + chunk.length > settings.manifestLimit) throw tooLarge
    if (size + chunk.length > bytes.length) bytes = grown(bytes, size + chunk.length)
    bytes.set(chunk, size)
    size += chunk.length
  }
  if (body.interrupted()) throw new RegistryError('REQUEST_TIMEOUT', 'The manifest did not arrive whole.')
  return bytes.slice(0, size)
}

/** The same bytes with room for `least` and as much again as there was. */
function grown(bytes: Uint8Array, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(least, 2 * bytes.length))
  larger.set(bytes)
  return larger
}
