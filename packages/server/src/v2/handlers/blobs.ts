import type { OpenBlob } from '@openregistry/core'
import { parseDigest, parseRepositoryName, type RepositoryName } from '@openregistry/oci'
import type { Headers } from '../../http/exchange.ts'
import { sendStream } from '../../http/send-stream.ts'
import { answer, logEvent, type Call } from '../call.ts'
import { immutableForever, isNotModified, rangeHeader } from '../conditional.ts'

/** `HEAD /v2/<name>/blobs/<digest>` (end-2). */
export async function handleHeadBlob(call: Call, name: string, digestText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const digest = parseDigest(digestText)
  const { size, cid } = await call.registry.describeBlob(call.principal, { repository, digest })
  const headers = blobHeaders(digest, cid)
  if (isNotModified(call.exchange, digest)) return answer(call, 304, headers)
  headers['Content-Length'] = size
  answer(call, 200, headers)
}

/** `GET /v2/<name>/blobs/<digest>` (end-2), whole or a range. */
export async function handleGetBlob(call: Call, name: string, digestText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const digest = parseDigest(digestText)
  if (isNotModified(call.exchange, digest)) {
    const { cid } = await call.registry.describeBlob(call.principal, { repository, digest })
    return answer(call, 304, blobHeaders(digest, cid))
  }
  const range = rangeHeader(call.exchange, digest)
  await using blob = await call.registry.openBlob(call.principal, {
    repository,
    digest,
    rangeHeader: range,
    mayRedirect: true,
  })
  if (blob.redirect !== null) return redirect(call, blob, blob.redirect, repository)
  const headers = blobHeaders(digest, blob.cid)
  const length = blob.range === null ? blob.size : blob.range.length
  headers['Content-Length'] = length
  if (blob.range !== null) {
    const { offset } = blob.range
    headers['Content-Range'] = `bytes ${offset}-${offset + length - 1}/${blob.size}`
  }
  const status = blob.range === null ? 200 : 206
  const sent = await send(call, status, headers, blob, length)
  call.countBytes('pull', sent)
  logEvent(call, 'blob_pull', { repository, digest, ipfs_cid: blob.cid, size: sent }, 'read')
}

/** The client asks there again, for the range as well. The address opens the content to whoever has it: nobody may keep or log it. */
function redirect(call: Call, { digest, cid }: OpenBlob, location: string, repository: RepositoryName): void {
  const headers = { ...blobHeaders(digest, cid), Location: location, 'Cache-Control': 'no-store' }
  answer(call, 307, headers)
  logEvent(call, 'blob_pull', { repository, digest, ipfs_cid: cid, redirected: true }, 'read')
}

/** `DELETE /v2/<name>/blobs/<digest>` (end-10). */
export async function handleDeleteBlob(call: Call, name: string, digestText: string): Promise<void> {
  const repository = parseRepositoryName(name)
  const digest = parseDigest(digestText)
  await call.registry.deleteBlob(call.principal, { repository, digest })
  answer(call, 202, {})
  logEvent(call, 'blob_delete', { repository, digest })
}

async function send(
  call: Call,
  status: number,
  headers: Headers,
  { bytes, chunks }: OpenBlob,
  length: number,
): Promise<number> {
  if (bytes !== null || chunks === null) {
    answer(call, status, headers, bytes)
    return bytes?.length ?? 0
  }
  const { response, id } = call.exchange
  response.writeHead(status, { 'X-Request-Id': id, ...headers } as Record<string, string | number>)
  const { sent } = await sendStream(response, { chunks, length, stall: call.settings.stall })
  return sent
}

/** What is said of a blob. */
export function blobHeaders(digest: string, cid: string): Headers {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'OpenRegistry-Cid': cid,
    'Cache-Control': immutableForever,
    // Content is whatever somebody pushed: no browser may take it for a page of ours.
    'X-Content-Type-Options': 'nosniff',
  }
}
