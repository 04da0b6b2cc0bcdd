import type { Digest } from '@openregistry/oci'

/** What the registry has acknowledged, and so must have. */
export class Ledger {
  /** `repository digest` of blobs that were answered with 201. */
  readonly blobs = new Set<string>()
  /** The same of manifests. */
  readonly manifests = new Set<string>()
  /** What each `repository:tag` may point to: the last acknowledged push, and those tried after it without an answer. */
  readonly tags = new Map<string, Set<Digest>>()
  /** Acknowledged operations. */
  acknowledged = 0

  blob(repository: string, digest: Digest): void {
    this.blobs.add(`${repository} ${digest}`)
    this.acknowledged++
  }

  /** A push that is about to be sent: from now on the tag may point there. */
  attempt(repository: string, tag: string, digest: Digest): void {
    const key = `${repository}:${tag}`
    this.tags.set(key, (this.tags.get(key) ?? new Set()).add(digest))
  }

  /** The push was acknowledged: the tag points there, and nowhere else. One writer a tag, so nothing is in between. */
  manifest(repository: string, tag: string, digest: Digest): void {
    this.manifests.add(`${repository} ${digest}`)
    this.tags.set(`${repository}:${tag}`, new Set([digest]))
    this.acknowledged++
  }
}
