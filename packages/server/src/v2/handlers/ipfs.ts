import { ImageByCid, type BlockView, type FileView, type LayoutBlob } from '@openregistry/ipfs'
import { RegistryError, parseDigest, parseRange } from '@openregistry/oci'
import { sendStream } from '../../http/send-stream.ts'
import { answer, logEvent, type Call } from '../call.ts'
import { immutableForever, isNotModified, rangeHeader } from '../conditional.ts'
import { blobHeaders } from './blobs.ts'
import { manifestHeaders, readableReference } from './manifests.ts'

const form = /^ipfs\/([^/]+)$/

/** The CID of a name below which images are pulled by CID (`ipfs/<cid>`); null for names of repositories. */
export function cidOfName(name: string): string | null {
  return form.exec(name)?.[1] ?? null
}

/** `GET` and `HEAD /v2/ipfs/<cid>/manifests/<latest or digest>`: of the image that is a layout under this CID. */
export async function handleGetManifestByCid(
  call: Call,
  view: BlockView,
  cid: string,
  referenceText: string,
): Promise<void> {
  const image = new ImageByCid(view, cid, call.settings.manifestLimit)
  const manifest = await image.manifest(readableReference(referenceText))
  const { digest, bytes } = manifest
  // Even the tag never means anything else: it is part of what the CID names.
  const headers = manifestHeaders(manifest, immutableForever)
  if (isNotModified(call.exchange, digest)) return answer(call, 304, headers)
  const isHead = call.exchange.method === 'HEAD'
  headers['Content-Length'] = bytes.length
  answer(call, 200, headers, isHead ? null : bytes)
  if (isHead) return
  call.countBytes('pull', bytes.length)
  logEvent(call, 'manifest_pull', { digest, ipfs_cid: cid, size: bytes.length }, 'read')
}

/** `GET` and `HEAD /v2/ipfs/<cid>/blobs/<digest>`, whole or a range. */
export async function handleGetBlobByCid(
  call: Call,
  view: BlockView,
  cid: string,
  digestText: string,
): Promise<void> {
  const digest = parseDigest(digestText)
  const blob = await new ImageByCid(view, cid, call.settings.manifestLimit).blob(digest)
  const headers = blobHeaders(digest, blob.cid)
  if (isNotModified(call.exchange, digest)) return answer(call, 304, headers)
  const { size } = blob.file
  if (call.exchange.method === 'HEAD') return answer(call, 200, { ...headers, 'Content-Length': size })
  const sent = await sendRange(call, blob, headers)
  call.countBytes('pull', sent)
  logEvent(call, 'blob_pull', { digest, ipfs_cid: cid, size: sent }, 'read')
}

async function sendRange(
  call: Call,
  { digest, file }: LayoutBlob,
  headers: ReturnType<typeof blobHeaders>,
): Promise<number> {
  const range = parseRange(rangeHeader(call.exchange, digest), file.size)
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', `The blob has ${file.size} bytes.`, {
      detail: { size: file.size },
    })
  }
  if (range === 'whole') return send(call, 200, { ...headers, 'Content-Length': file.size }, file)
  const { offset, length } = range
  const part = {
    ...headers,
    'Content-Length': length,
    'Content-Range': `bytes ${offset}-${offset + length - 1}/${file.size}`,
  }
  return send(call, 206, part, file, range)
}

async function send(
  call: Call,
  status: number,
  headers: ReturnType<typeof blobHeaders>,
  file: FileView,
  range = { offset: 0, length: file.size },
): Promise<number> {
  await using reader = await file.open(range)
  const { response, id } = call.exchange
  response.writeHead(status, {
    'X-Request-Id': id,
    'Docker-Distribution-Api-Version': 'registry/2.0',
    ...headers,
  } as Record<string, string | number>)
  const { length } = range
  const { sent } = await sendStream(response, { chunks: reader.chunks, length, stall: call.settings.stall })
  return sent
}
