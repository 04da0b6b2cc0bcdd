import { parseDigest } from './digest.ts'
import type { Digest } from './digest.ts'
import { parseTag } from './tag.ts'
import type { Tag } from './tag.ts'

/** What names a manifest inside a repository. */
export type Reference = { kind: 'tag'; tag: Tag } | { kind: 'digest'; digest: Digest }

/**
 * The `<reference>` of a manifest URL. No tag has a colon and every digest has one, so the colon decides.
 * @throws RegistryError `DIGEST_INVALID` or `TAG_INVALID`.
 */
export function parseReference(text: string): Reference {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) }
  return { kind: 'tag', tag: parseTag(text) }
}
