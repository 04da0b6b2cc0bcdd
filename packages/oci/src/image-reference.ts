import { parseDigest } from './digest.ts'
import type { Digest } from './digest.ts'
import { RegistryError } from './errors.ts'
import { parseRepositoryName } from './repository-name.ts'
import type { RepositoryName } from './repository-name.ts'
import { parseTag } from './tag.ts'
import type { Tag } from './tag.ts'

/** An image as people write it, taken apart. What was not written is null. */
export interface ImageReference {
  /** Host and optional port, lower-case, for example `127.0.0.1:5000` or `[::1]:5000`. */
  registry: string | null
  repository: RepositoryName
  tag: Tag | null
  digest: Digest | null
}

const host = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/

/**
 * Reads `[host[:port]/]name[:tag][@digest]`. The first of several components is a host when it has a dot or a colon,
 * or is `localhost`; a single component is always a name. Nothing is filled in: neither `docker.io` nor `library/` nor
 * `latest`.
 * @throws RegistryError `NAME_INVALID`, `TAG_INVALID` or `DIGEST_INVALID`.
 */
export function parseImageReference(text: string): ImageReference {
  if (/^[a-z+.-]+:\/\//i.test(text)) {
    throw new RegistryError('NAME_INVALID', 'Not an image: leave out the scheme; write host:port/name:tag.')
  }
  const at = text.indexOf('@')
  const digest = at === -1 ? null : parseDigest(text.slice(at + 1))
  const { registry, path } = splitHost(at === -1 ? text : text.slice(0, at))
  const colon = path.indexOf(':')
  const tag = colon === -1 ? null : parseTag(path.slice(colon + 1))
  return {
    registry,
    repository: parseRepositoryName(colon === -1 ? path : path.slice(0, colon)),
    tag,
    digest,
  }
}

function splitHost(text: string): { registry: string | null; path: string } {
  const slash = text.indexOf('/')
  const first = slash === -1 ? '' : text.slice(0, slash).toLowerCase()
  if (!first.includes('.') && !first.includes(':') && first !== 'localhost')
    return { registry: null, path: text }
  if (!host.test(first)) throw new RegistryError('NAME_INVALID', 'Not an image: its host is malformed.')
  return { registry: first, path: text.slice(slash + 1) }
}
