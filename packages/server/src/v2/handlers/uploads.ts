import type { Chunk, UploadSession } from '@openregistry/core'
import {
  RegistryError,
  parseChunkRange,
  parseDigest,
  parseRepositoryName,
  type Digest,
  type DigestAlgorithm,
  type RepositoryName,
} from '@openregistry/oci'
import { hasBody, requestBody } from '../../http/body.ts'
import type { Headers } from '../../http/exchange.ts'
import { answer, answerTooSlow, blobLocation, logEvent, queryOf, type Call } from '../call.ts'

/** What nothing hashes to: the one blob that can be pushed by a POST without a body. */
const emptyDigests: ReadonlySet<string> = new Set([
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
])

/**
 * `POST /v2/<name>/blobs/uploads/`: begins an upload (end-4a, 4c), takes a whole blob (`?digest=`, end-4b), or links
 * one that is here already (`?mount=`, end-11).
 */
export async function handlePostUpload(call: Call, name: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const query = queryOf(call)
  const mount = query.get('mount')
  if (mount !== null && (await tryMount(call, repository, parseDigest(mount), query.get('from')))) return
  const digestText = query.get('digest')
  const digest = mount !== null || digestText === null ? null : parseDigest(digestText)
  const algorithm = parseAlgorithm(query.get('digest-algorithm'))
  const session = await call.registry.openUpload(call.principal, { repository, algorithm })
  if (digest !== null && (hasBody(call.exchange.request) || emptyDigests.has(digest))) {
    return finish(call, repository, session.id, digest)
  }
  answer(call, 202, { ...sessionHeaders(session, 0) })
}

async function tryMount(
  call: Call,
  repository: RepositoryName,
  digest: Digest,
  fromText: string | null,
): Promise<boolean> {
  const from = fromText === null ? null : parseSource(fromText)
  // A source that cannot exist is one that cannot be mounted from: an ordinary upload follows.
  if (from === undefined) return false
  const mounted = await call.registry.mountBlob(call.principal, { repository, digest, from })
  if (mounted === null) return false
  answer(call, 201, blobCreated(repository, digest, mounted.cid))
  logEvent(call, 'blob_mount', { repository, digest, ipfs_cid: mounted.cid, from: from ?? undefined })
  return true
}

function parseSource(text: string): RepositoryName | undefined {
  try {
    return parseRepositoryName(text)
  } catch {
    return undefined
  }
}

/** `GET` on a session (end-13): where it stands. */
export async function handleUploadStatus(call: Call, name: string, id: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const session = await call.registry.uploadStatus(call.principal, { repository, id })
  answer(call, 204, sessionHeaders(session, session.offset))
}

/** `PATCH` on a session (end-5): the next chunk, or a stream without a length. */
export async function handlePatchUpload(call: Call, name: string, id: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const chunk = chunkOf(call, name)
  const { session, offset } = await call.registry.appendPart(call.principal, { repository, id, chunk })
  call.countBytes('push', offset - session.offset)
  answer(call, 202, sessionHeaders(session, offset))
}

/** `PUT` on a session (end-6): its end, with the last chunk or the whole blob in the body if there is one. */
export async function handlePutUpload(call: Call, name: string, id: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const digest = queryOf(call).get('digest')
  if (digest === null) {
    throw new RegistryError('DIGEST_INVALID', 'The parameter "digest" is missing: it names the whole blob.')
  }
  await finish(call, repository, id, parseDigest(digest))
}

/** `DELETE` on a session (end-14): forgets it. */
export async function handleDeleteUpload(call: Call, name: string, id: string): Promise<void> {
  const repository = parseRepositoryName(name)
  await call.registry.cancelUpload(call.principal, { repository, id })
  answer(call, 204, {})
  logEvent(call, 'blob_upload_cancel', { repository })
}

async function finish(call: Call, repository: RepositoryName, id: string, digest: Digest): Promise<void> {
  const chunk = hasBody(call.exchange.request) ? chunkOf(call, repository) : null
  const blob = await call.registry.finishUpload(call.principal, { repository, id, digest, chunk })
  answer(call, 201, blobCreated(repository, digest, blob.cid))
  call.countBytes('push', chunk === null ? 0 : blob.size)
  logEvent(call, 'blob_upload', { repository, digest, ipfs_cid: blob.cid, size: blob.size })
}

/** The body of the request as a chunk, its announced range checked before a byte is read. */
function chunkOf(call: Call, name: string): Chunk {
  const body = requestBody(call.exchange, call.settings.body, () =>
    answerTooSlow(call, name, 'ask where the upload stands and go on'),
  )
  const header = call.exchange.request.headers['content-range']
  const range = header === undefined ? null : parseChunkRange(header)
  if (header !== undefined && range === null) {
    throw new RegistryError(
      'BLOB_UPLOAD_INVALID',
      'Content-Range must read <first byte>-<last byte>, both inclusive.',
    )
  }
  const announced = range === null ? body.length : range.end - range.start + 1
  if (body.length !== null && announced !== body.length) {
    throw new RegistryError('SIZE_INVALID', 'Content-Range and Content-Length name different lengths.')
  }
  return { body: body.chunks, start: range?.start ?? null, length: announced, interrupted: body.interrupted }
}

function parseAlgorithm(text: string | null): DigestAlgorithm | null {
  if (text === null || text === 'sha256' || text === 'sha512') return text
  throw new RegistryError(
    'DIGEST_INVALID',
    `The digest algorithm ${JSON.stringify(text)} is not supported; use sha256 or sha512.`,
  )
}

/** Where to go on, and how far it is. With no byte yet the range is `0-0`, which every client can parse. */
export function sessionHeaders(
  session: Pick<UploadSession, 'id'> & { repository: { name: string } },
  offset: number,
): Headers {
  return {
    Location: `/v2/${session.repository.name}/blobs/uploads/${session.id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': session.id,
  }
}

function blobCreated(repository: RepositoryName, digest: Digest, cid: string): Headers {
  return {
    Location: blobLocation(repository, digest),
    'Docker-Content-Digest': digest,
    'OpenRegistry-Cid': cid,
  }
}
