import type { Digest } from '@openregistry/oci'
import type { Exchange } from '../http/exchange.ts'

/** The entity tag of content: its digest, strong, since the same digest is the same bytes. */
export function entityTag(digest: Digest): string {
  return `"${digest}"`
}

/** Whether the client has this content already: `If-None-Match` (RFC 9110, 13.1.2), with weak comparison. */
export function isNotModified({ request }: Exchange, digest: Digest): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === entityTag(digest))
}

/** The `Range` header, unless `If-Range` (RFC 9110, 13.1.5) says that it was meant for other content. */
export function rangeHeader({ request }: Exchange, digest: Digest): string | undefined {
  const condition = request.headers['if-range']
  if (condition !== undefined && condition !== entityTag(digest)) return undefined
  return request.headers.range
}

/** Content under its digest never changes; what a tag names does. */
export const immutableForever = 'max-age=31536000, immutable'
