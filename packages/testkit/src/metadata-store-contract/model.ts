import type { PutManifest, Visibility } from '@openregistry/core'
import { namespaceOf, type Digest, type RepositoryName } from '@openregistry/oci'

/** A link as the model sees it. */
interface ModelLink {
  hidden: boolean
  /** Whether it has a lease, or waits to be collected. */
  pending: boolean
}

interface ModelManifest {
  manifest: PutManifest
  live: boolean
}

/** What a repository should hold. */
export class ModelRepository {
  visibility: Visibility
  listed = false
  readonly links = new Map<Digest, ModelLink>()
  readonly manifests = new Map<Digest, ModelManifest>()
  readonly tags = new Map<string, Digest>()
  /** The last manifest of each tag that is not there, and whether the tag went with it. */
  readonly untagged = new Map<string, { digest: Digest; withManifest: boolean }>()

  constructor(visibility: Visibility) {
    this.visibility = visibility
  }

  visible(digest: Digest): boolean {
    return this.links.get(digest)?.hidden === false
  }

  live(digest: Digest): boolean {
    return this.manifests.get(digest)?.live === true
  }

  /** Whether a live manifest needs this. */
  needs(digest: Digest): boolean {
    return [...this.manifests.values()].some(
      ({ live, manifest }) => live && manifest.references.some((reference) => reference.digest === digest),
    )
  }

  setTag(tag: string, digest: Digest): void {
    this.tags.set(tag, digest)
    this.untagged.delete(tag)
  }

  deleteTag(tag: string, withManifest = false): boolean {
    const digest = this.tags.get(tag)
    if (digest === undefined) return false
    this.untagged.set(tag, { digest, withManifest })
    return this.tags.delete(tag)
  }

  link(digest: Digest): void {
    const link = this.links.get(digest)
    if (link === undefined) this.links.set(digest, { hidden: false, pending: true })
    else link.hidden = false
  }
}

/** The whole store in maps: slow, simple, and meant to be right at first sight. */
export class Model {
  readonly repositories = new Map<RepositoryName, ModelRepository>()

  ensure(name: RepositoryName, visibility: Visibility): ModelRepository {
    const found = this.repositories.get(name) ?? new ModelRepository(visibility)
    this.repositories.set(name, found)
    return found
  }

  pushBlob(name: RepositoryName, digest: Digest): void {
    this.ensure(name, 'private').link(digest)
  }

  mountBlob(from: RepositoryName, to: RepositoryName, digest: Digest): boolean {
    if (this.repositories.get(from)?.visible(digest) !== true) return false
    this.ensure(to, 'private').link(digest)
    return true
  }

  deleteBlob(name: RepositoryName, digest: Digest): boolean {
    const link = this.repositories.get(name)?.links.get(digest)
    if (link === undefined || link.hidden) return false
    link.hidden = true
    return true
  }

  /** The blobs that are missing, or null when it was stored. */
  putManifest(manifest: PutManifest): Digest[] | null {
    const known = this.repositories.get(manifest.repository)
    const digests = manifest.references.map(({ digest }) => digest)
    const missing = digests.filter((digest) => known?.visible(digest) !== true)
    if (missing.length > 0) return missing
    const repository = this.ensure(manifest.repository, manifest.defaultVisibility)
    repository.listed = true
    repository.manifests.set(manifest.digest, { manifest, live: true })
    for (const digest of digests) repository.links.get(digest)!.pending = false
    for (const tag of manifest.tags) repository.setTag(tag, manifest.digest)
    return null
  }

  deleteManifest(name: RepositoryName, digest: Digest): boolean {
    const repository = this.repositories.get(name)
    const found = repository?.manifests.get(digest)
    if (repository === undefined || found?.live !== true) return false
    found.live = false
    for (const [tag, target] of repository.tags) if (target === digest) repository.deleteTag(tag, true)
    for (const [linked, link] of repository.links) if (!repository.needs(linked)) link.pending = true
    return true
  }

  /** The blobs that are missing for it to live again; nothing is missing of a live one. Null when it never was here. */
  restoreManifest(name: RepositoryName, digest: Digest): Digest[] | null {
    const repository = this.repositories.get(name)
    const found = repository?.manifests.get(digest)
    if (repository === undefined || found === undefined) return null
    if (found.live) return []
    const digests = found.manifest.references.map((reference) => reference.digest)
    const missing = digests.filter((needed) => !repository.visible(needed))
    if (missing.length > 0) return missing
    found.live = true
    for (const needed of digests) repository.links.get(needed)!.pending = false
    return []
  }

  /** Whether the blob could be mounted by somebody of this namespace. */
  mountable(namespace: string, digest: Digest): RepositoryName[] {
    return [...this.repositories]
      .filter(
        ([name, repository]) =>
          repository.visible(digest) &&
          (namespaceOf(name) === namespace || repository.visibility === 'public'),
      )
      .map(([name]) => name)
  }
}
