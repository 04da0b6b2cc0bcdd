import { parseRange, RegistryError } from '@openregistry/oci'
import { rawCodec, sha256Code } from '@openregistry/dag'
import type { BlockView, FileView } from '../block-view.ts'
import {
  attachment,
  immutable,
  isNotModified,
  plainAnswer,
  type Conditions,
  type ContentAnswer,
} from '../content-answer.ts'
import { readCid } from '../read-cid.ts'

/**
 * Whole blobs, of any size, by the CID of their SHA-256 (DASL, "RASL"): `/.well-known/rasl/<cid>`.
 * @param text the CID as it was asked for.
 * @throws RegistryError `CID_INVALID` for other CIDs, `CONTENT_UNKNOWN`, `RANGE_INVALID`.
 */
export async function answerRasl(
  view: BlockView,
  text: string,
  { method, ifNoneMatch, ifRange, range: rangeHeader }: Conditions,
): Promise<ContentAnswer> {
  const { cid, parts } = readCid(text)
  if (parts.codec !== rawCodec || parts.hash !== sha256Code) {
    throw new RegistryError('CID_INVALID', 'Blobs are known here by CIDs of codec raw with sha2-256.')
  }
  const blob = await view.blob(parts.digest)
  if (blob === null) throw new RegistryError('CONTENT_UNKNOWN')
  const etag = `"${cid}"`
  const headers: Record<string, string> = {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': attachment(`${cid}.bin`),
    ETag: etag,
    'Cache-Control': immutable,
    'X-Content-Type-Options': 'nosniff',
    'Accept-Ranges': 'bytes',
  }
  if (isNotModified(ifNoneMatch, etag)) {
    return plainAnswer({
      status: 304,
      headers: { ETag: etag, 'Cache-Control': immutable },
      length: null,
      body: null,
    })
  }
  // Only GET has ranges (RFC 9110, 14.2), and those of other content are not meant (13.1.5).
  const hasRange = method === 'GET' && (ifRange === undefined || ifRange === etag)
  const range = hasRange ? parseRange(rangeHeader, blob.size) : 'whole'
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', undefined, { detail: { size: blob.size } })
  }
  if (method === 'HEAD') return plainAnswer({ status: 200, headers, length: blob.size, body: null })
  if (range === 'whole') return opened(blob, { status: 200, headers })
  const last = range.offset + range.length - 1
  headers['Content-Range'] = `bytes ${range.offset}-${last}/${blob.size}`
  return opened(blob, { status: 206, headers }, range)
}

async function opened(
  blob: FileView,
  answer: Pick<ContentAnswer, 'status' | 'headers'>,
  range?: { offset: number; length: number },
): Promise<ContentAnswer> {
  const reader = await (range === undefined ? blob.open() : blob.open(range))
  return {
    ...answer,
    length: range?.length ?? blob.size,
    body: reader.chunks,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}
