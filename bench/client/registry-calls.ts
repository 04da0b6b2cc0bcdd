import type { PreparedBlob } from '../content.ts'
import type { Connection, WireRequest } from './connection.ts'
import { headerOf, type WireResponse } from './response-parser.ts'

/** Media types that every peer accepts. */
export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json'
export const configMediaType = 'application/vnd.oci.image.config.v1+json'
export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar'

/** How a blob is pushed: `put` as containerd does (length known), `patch` as Docker does (in chunks, then an empty PUT). */
export type PushWay = 'put' | 'patch'

async function expectStatus(
  connection: Connection,
  request: WireRequest,
  ...allowed: number[]
): Promise<WireResponse> {
  const response = await connection.send(request)
  if (allowed.includes(response.status)) return response
  throw new Error(
    `${request.method} ${request.path} was answered with ${response.status}: ${response.bodyStart}`,
  )
}

/** Path and query of a `Location`, which may be relative or absolute. */
function locationOf(response: WireResponse): string {
  const location = headerOf(response.head, 'location')
  if (location === null) throw new Error(`no Location in: ${response.head}`)
  const url = new URL(location, 'http://127.0.0.1/')
  return url.pathname + url.search
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

/** Pushes a blob. @throws Error when a step is not answered as the specification says */
export async function pushBlob(
  connection: Connection,
  repository: string,
  content: PreparedBlob,
  way: PushWay,
): Promise<void> {
  const headers = { 'Content-Type': 'application/octet-stream' }
  const opened = await expectStatus(
    connection,
    { method: 'POST', path: `/v2/${repository}/blobs/uploads/` },
    202,
  )
  let location = locationOf(opened)
  if (way === 'put') {
    const path = withDigest(location, content.digest)
    await expectStatus(connection, { method: 'PUT', path, headers, body: { content, chunked: false } }, 201)
    return
  }
  const body = { content, chunked: true }
  location = locationOf(
    await expectStatus(connection, { method: 'PATCH', path: location, headers, body }, 202),
  )
  await expectStatus(connection, { method: 'PUT', path: withDigest(location, content.digest) }, 201)
}

/** Asks whether a blob is there, as every client does before it pushes. */
export async function hasBlob(connection: Connection, repository: string, digest: string): Promise<boolean> {
  const request = { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` }
  return (await expectStatus(connection, request, 200, 404)).status === 200
}

/** Pulls a blob and counts its bytes. @throws Error when they are not `size` bytes */
export async function pullBlob(
  connection: Connection,
  repository: string,
  blob: { digest: string; size: number },
): Promise<void> {
  const path = `/v2/${repository}/blobs/${blob.digest}`
  const { bodyBytes } = await expectStatus(connection, { method: 'GET', path }, 200)
  if (bodyBytes !== blob.size) throw new Error(`${path}: ${bodyBytes} bytes came instead of ${blob.size}`)
}

/** Pushes a manifest under a tag. */
export async function putManifest(
  connection: Connection,
  repository: string,
  tag: string,
  content: PreparedBlob,
): Promise<void> {
  const headers = { 'Content-Type': manifestMediaType }
  const path = `/v2/${repository}/manifests/${tag}`
  await expectStatus(connection, { method: 'PUT', path, headers, body: { content, chunked: false } }, 201)
}
