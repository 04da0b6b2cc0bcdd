import { digestAlgorithm, digestHex } from './digest.ts'
import type { Digest } from './digest.ts'
import type { Tag } from './tag.ts'

/**
 * The tag under which clients keep a list of referrers where a registry has no API for it (distribution specification,
 * "Referrers Tag Schema"): algorithm and the first 64 hex digits. The other rules of that section, for odd algorithms,
 * change nothing about the two that are supported.
 */
export function fallbackTagOf(subject: Digest): Tag {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}` as Tag
}
