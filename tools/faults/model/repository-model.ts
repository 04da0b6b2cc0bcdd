import type { Digest } from '@openregistry/oci'
import { Change } from './change.ts'
import { LinkModel, slack } from './link.ts'
import { Register } from './register.ts'
import { tick, type Span } from './tick.ts'

/** A manifest that clients push, and what it stands on. */
export interface KnownManifest {
  digest: Digest
  mediaType: string
  bytes: Buffer
  /** Blobs that must be here. */
  blobs: readonly Digest[]
  subject: Digest | null
}

/** How long the registry promises to keep what no manifest needs, in milliseconds. */
export interface Promises {
  lease: number
  grace: number
}

interface ManifestModel {
  content: KnownManifest
  live: Register<boolean>
  /** Whether it was pushed and its repository was not deleted since, so that it can be restored. */
  kept: boolean
}

/** A deletion that is not over, and what it takes away: all tags, or those of one manifest. */
interface Deletion {
  change: Change
  manifest: Digest | null
}

/** When a manifest may have gone with its subject. */
interface Follows {
  /** From then on. */
  from: number
  /** When the deletion of the subject was over: who asks for the manifest later wants to keep it. */
  deleted: number
}

/** What is true of one repository, as far as its clients can know. */
export class RepositoryModel {
  readonly name: string
  readonly tags = new Map<string, Register<Digest | null>>()
  readonly manifests = new Map<Digest, ManifestModel>()
  readonly links = new Map<Digest, LinkModel>()
  /** When the whole repository was, or may have been, deleted since the model was last settled. */
  readonly #deleted: Span[] = []
  readonly #promises: Promises
  readonly #deletions = new Set<Deletion>()
  /** Manifests that may go with their subject: for each deletion of it that was asked for, or of what it belongs to. */
  readonly #mayFollow = new Map<Digest, Set<Follows>>()

  constructor(name: string, promises: Promises) {
    this.name = name
    this.#promises = promises
  }

  // --- changes that are asked for ------------------------------------------------------------------------------

  /** A push or a mount of a blob. */
  linkBlob(digest: Digest): Change {
    const link = this.link(digest)
    const change = new Change().sets(link.readable, true)
    return change.onAcknowledged((at) => {
      // A link that a manifest needs gets no lease of its own: it lives as long as the manifest, and the grace after it.
      if (!this.mayBeNeeded(digest, { from: change.start, until: at }))
        link.promise(change.start, this.#promises.lease)
    })
  }

  putManifest(manifest: KnownManifest, tags: readonly string[]): Change {
    const known = this.manifest(manifest)
    const change = new Change().sets(known.live, true)
    // A deletion at the same moment may have taken it, even if it was acknowledged later.
    change.onAcknowledged(() => {
      known.kept ||= !this.mayBeDeletedSince(change.start)
      const all = this.#mayFollow.get(manifest.digest) ?? new Set()
      for (const follows of all) if (follows.deleted < change.start) all.delete(follows)
    })
    for (const tag of tags) change.sets(this.tag(tag), manifest.digest)
    return change
  }

  /** A client heard that the blob is here, and may rely on it. */
  heardOf(digest: Digest, span: Span): void {
    if (!this.mayBeNeeded(digest, span)) this.link(digest).promise(span.from, this.#promises.lease / 2)
  }

  /** Brings a deleted manifest back, and those of the tags that went with it, which the answer names. */
  restoreManifest(manifest: KnownManifest): { change: Change; tags: Map<string, Change> } {
    const change = new Change().sets(this.manifest(manifest).live, true)
    const tags = [...this.tags].map(
      ([tag, register]) => [tag, new Change().sets(register, manifest.digest, null)] as const,
    )
    return { change, tags: new Map(tags) }
  }

  deleteTag(tag: string): Change {
    return new Change().sets(this.tag(tag), null)
  }

  deleteManifest(manifest: KnownManifest): Change {
    const change = new Change()
    this.#release(manifest, change.start)
    change.sets(this.manifest(manifest).live, false)
    for (const register of this.tags.values()) change.sets(register, null, manifest.digest)
    this.#takeReferrers(manifest.digest, change)
    return this.#deletion(change, manifest.digest)
  }

  deleteBlob(digest: Digest): Change {
    return new Change().sets(this.link(digest).readable, false)
  }

  deleteRepository(): Change {
    const change = new Change()
    const span = { from: change.start, until: Infinity }
    this.#deleted.push(span)
    change.onAcknowledged((at) => void (span.until = at)).onRefused(() => void (span.until = -Infinity))
    for (const manifest of this.manifests.values()) {
      manifest.kept = false
      change.sets(manifest.live, false)
    }
    for (const register of this.tags.values()) change.sets(register, null)
    for (const { readable } of this.links.values()) change.sets(readable, false)
    return this.#deletion(change, null)
  }

  #deletion(change: Change, manifest: Digest | null): Change {
    const deletion = { change, manifest }
    this.#deletions.add(deletion)
    const over = (): void => void this.#deletions.delete(deletion)
    return change.onAcknowledged(over).onRefused(over)
  }

  #release({ blobs, digest: manifest }: KnownManifest, from: number): void {
    const sure = this.manifests.get(manifest)?.live.surely(true, { from, until: from }) === true
    for (const digest of blobs) this.link(digest).release(from, this.#promises.grace, sure)
  }

  /** Whatever refers to a deleted manifest goes with it once its time of grace is over. */
  #takeReferrers(subject: Digest, deletion: Change): void {
    for (const { content } of this.manifests.values()) {
      if (content.subject !== subject) continue
      const follows = { from: deletion.start + this.#promises.grace - slack, deleted: Infinity }
      const all = this.#follow(content.digest, follows)
      deletion.onAcknowledged((at) => void (follows.deleted = at)).onRefused(() => void all.delete(follows))
      this.#release(content, deletion.start)
      this.#takeReferrers(content.digest, deletion)
    }
  }

  /** One deletion more. It takes nothing from those before it, which a manifest may follow earlier. */
  #follow(digest: Digest, follows: Follows): Set<Follows> {
    const all = known(this.#mayFollow, digest, () => new Set<Follows>())
    return all.add(follows)
  }

  /** A new referrer may follow a subject that goes just now, or that follows its own subject. */
  #noteSubject({ subject, digest, blobs }: KnownManifest): void {
    if (subject === null) return
    const goes =
      (this.#mayFollow.get(subject)?.size ?? 0) > 0 ||
      [...this.#deletions].some(({ manifest }) => manifest === subject)
    if (!goes) return
    const now = tick()
    this.#follow(digest, { from: now + this.#promises.grace - slack, deleted: Infinity })
    for (const blob of blobs) this.link(blob).release(now, this.#promises.grace, false)
  }

  // --- what is known, created when it is first spoken of; deletions that are under way take it, too -------------

  tag(name: string): Register<Digest | null> {
    return known(this.tags, name, () => {
      const register = new Register<Digest | null>(null)
      for (const { change, manifest } of this.#deletions) change.sets(register, null, manifest ?? undefined)
      return register
    })
  }

  manifest(content: KnownManifest): ManifestModel {
    return known(this.manifests, content.digest, () => {
      const live = new Register(false)
      for (const { change, manifest } of this.#deletions) if (manifest === null) change.sets(live, false)
      this.#noteSubject(content)
      return { content, live, kept: false }
    })
  }

  link(digest: Digest): LinkModel {
    return known(this.links, digest, () => {
      const link = new LinkModel()
      for (const { change, manifest } of this.#deletions)
        if (manifest === null) change.sets(link.readable, false)
      return link
    })
  }

  // --- questions -----------------------------------------------------------------------------------------------

  /** Whether a manifest that is here for all of this time needs the blob. */
  isNeeded(digest: Digest, span: Span): boolean {
    return this.#needing(digest).some(
      ({ live, content }) => live.surely(true, span) && !this.mayHaveFollowed(content.digest, span),
    )
  }

  /** Whether a manifest that may be deleted can be restored for sure. */
  isRestorable(digest: Digest): boolean {
    return this.#promises.grace > 3600_000 && this.manifests.get(digest)?.kept === true
  }

  /** Whether a manifest may have gone because its subject did. */
  mayHaveFollowed(digest: Digest, { until }: Span): boolean {
    return [...(this.#mayFollow.get(digest) ?? [])].some(({ from }) => until > from)
  }

  /** A read saw a manifest, or saw that it is not here. @returns whether that may be. */
  observeManifest(digest: Digest, here: boolean, span: Span): boolean {
    const live = this.manifests.get(digest)?.live
    if (live === undefined) return !here
    if (live.observe(here, span)) return true
    if (here || !this.mayHaveFollowed(digest, span)) return false
    live.acknowledge(live.begin(false, { start: span.from }), span.until)
    return true
  }

  /** Whether a manifest that may be here needs the blob. */
  mayBeNeeded(digest: Digest, span: Span): boolean {
    return this.#needing(digest).some(({ live }) => live.possible(span).has(true))
  }

  #needing(digest: Digest): ManifestModel[] {
    return [...this.manifests.values()].filter(({ content }) => content.blobs.includes(digest))
  }

  /** Whether the repository may have been deleted at `start` or later. */
  mayBeDeletedSince(start: number): boolean {
    return this.#deleted.some(({ until }) => until >= start)
  }

  /** Nothing is under way any more. */
  settle(): void {
    this.#deletions.clear()
    this.#deleted.length = 0
    for (const register of this.tags.values()) register.settle()
    for (const { live } of this.manifests.values()) live.settle()
    for (const { readable } of this.links.values()) readable.settle()
  }
}

function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
