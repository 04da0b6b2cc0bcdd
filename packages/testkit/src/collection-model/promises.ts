import type { PutManifest } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { subjectOfTag, times } from './world.ts'

/** What a repository was promised about a blob. */
interface LinkPromise {
  /** Until when it is there although nothing needs it. */
  until: number
  hidden: boolean
}

/** When something was done: by the clock, and in which turn. */
interface Moment {
  at: number
  turn: number
}

interface ManifestPromise {
  manifest: Omit<PutManifest, 'repository'>
  pushed: Moment
  /** Null while it is live. */
  deleted: Moment | null
}

interface TagPromise {
  digest: Digest
  updated: Moment
}

/**
 * What the answers so far promise of one repository, from the rules of the design and not from the code. Of anything that
 * is not promised, nothing is expected: it may be there or not.
 */
export class RepositoryPromises {
  readonly links = new Map<Digest, LinkPromise>()
  readonly manifests = new Map<Digest, ManifestPromise>()
  readonly tags = new Map<Tag, TagPromise>()
  /** What something kept when its subject was gone already: the collector may have forgotten that subject meanwhile. */
  readonly #outlived = new Set<Digest>()
  #turn = 0

  live(digest: Digest): boolean {
    return this.manifests.get(digest)?.deleted === null
  }

  #moment(at: number): Moment {
    return { at, turn: ++this.#turn }
  }

  /** Whether a live manifest names it. */
  needs(digest: Digest): boolean {
    for (const { manifest, deleted } of this.manifests.values()) {
      if (deleted === null && manifest.references.some((reference) => reference.digest === digest))
        return true
    }
    return false
  }

  promised(digest: Digest, now: number): boolean {
    return this.links.get(digest)?.hidden === false && this.#kept(digest, now)
  }

  /** Whether the link is there, hidden or not. */
  #kept(digest: Digest, now: number): boolean {
    const link = this.links.get(digest)
    return link !== undefined && (this.needs(digest) || now < link.until)
  }

  /**
   * A push or a mount was acknowledged, or a client was told that the blob is there. While manifests need it, it is theirs:
   * then the time of grace is the promise.
   */
  extend(digest: Digest, until: number, shown: boolean): void {
    const link = this.links.get(digest) ?? { until: 0, hidden: false }
    if (!this.needs(digest)) link.until = Math.max(link.until, until)
    if (shown) link.hidden = false
    this.links.set(digest, link)
  }

  hide(digest: Digest): void {
    const link = this.links.get(digest) ?? { until: 0, hidden: true }
    link.hidden = true
    this.links.set(digest, link)
  }

  put(manifest: Omit<PutManifest, 'repository'>, now: number): void {
    // Layers that may be missing: one whose link has run out may be gone already.
    const there = new Set(
      manifest.references
        .filter(({ digest, kind }) => kind === 'blob' || this.#kept(digest, now))
        .map(({ digest }) => digest),
    )
    this.manifests.set(manifest.digest, { manifest, pushed: this.#moment(now), deleted: null })
    // Whatever it needs is kept by that from now on, and by nothing else.
    for (const { digest } of manifest.references) {
      if (!there.has(digest)) this.links.delete(digest)
      const link = this.links.get(digest)
      if (link !== undefined) link.until = 0
    }
    for (const tag of manifest.tags) this.setTag(tag, manifest.digest, now)
  }

  setTag(tag: Tag, digest: Digest, now: number): void {
    this.tags.set(tag, { digest, updated: this.#moment(now) })
  }

  /** A manifest went: what nothing needs any more stays for the time of grace. */
  delete(digest: Digest, now: number, grace: number = times.grace): void {
    const found = this.manifests.get(digest)
    if (found === undefined) return
    const needed = found.manifest.references.filter((reference) => this.needs(reference.digest))
    found.deleted = this.#moment(now)
    for (const [other, { manifest }] of this.manifests)
      if (manifest.subject === digest) this.#outlived.delete(other)
    for (const [tag, target] of this.tags)
      if (subjectOfTag(tag) === digest) this.#outlived.delete(target.digest)
    for (const [tag, target] of this.tags) if (target.digest === digest) this.tags.delete(tag)
    for (const reference of needed) {
      if (this.links.has(reference.digest) && !this.needs(reference.digest))
        this.extend(reference.digest, now + grace, false)
    }
  }

  /** A deleted manifest is live again. */
  revive(digest: Digest, now: number): void {
    const found = this.manifests.get(digest)
    if (found === undefined) return
    for (const { digest: needed, kind } of found.manifest.references) {
      if (kind !== 'blob' && !this.#kept(needed, now)) this.links.delete(needed)
    }
    found.deleted = null
    if (this.#deletionOf(found.manifest.subject) !== null) found.pushed = this.#moment(now)
    for (const reference of found.manifest.references) {
      const link = this.links.get(reference.digest)
      if (link !== undefined) link.until = 0
    }
  }

  /** Whether a tag may go by itself: its subject was deleted after it was set. */
  tagMayGo(tag: Tag): boolean {
    const target = this.tags.get(tag)
    return target !== undefined && this.#isBefore(target.updated, this.#deletionOf(subjectOfTag(tag)))
  }

  /** Whether a live manifest may go by itself: what it is for was deleted, and nothing else needs it. */
  manifestMayGo(digest: Digest): boolean {
    return this.#goes(digest, false)
  }

  /**
   * Whether it has to, sooner or later. What was pushed in the millisecond of the deletion may stay, when that subject
   * had been deleted before in the same one.
   */
  manifestMustGo(digest: Digest): boolean {
    return this.#goes(digest, true) && !this.#outlived.has(digest)
  }

  /** To be called after each step. */
  noteOutlived(): void {
    for (const digest of this.manifests.keys()) if (!this.#goes(digest, true)) this.#outlived.add(digest)
  }

  #goes(digest: Digest, surely: boolean, asked: ReadonlySet<Digest> = new Set()): boolean {
    const found = this.manifests.get(digest)
    if (found?.deleted !== null || asked.has(digest)) return false
    const tags = this.#tagsOf(digest)
    if (tags.some((tag) => !this.tagMayGo(tag))) return false
    const subjects = [found.manifest.subject, ...tags.map(subjectOfTag)]
    if (!subjects.some((subject) => this.#isBefore(found.pushed, this.#deletionOf(subject), surely)))
      return false
    return this.#indexesOf(digest).every((index) => this.#goes(index, surely, new Set([...asked, digest])))
  }

  /** Live indexes that name it, itself excepted. */
  #indexesOf(digest: Digest): Digest[] {
    const naming = [...this.manifests].filter(
      ([index, { manifest, deleted }]) =>
        deleted === null &&
        index !== digest &&
        manifest.references.some((reference) => reference.digest === digest),
    )
    return naming.map(([index]) => index)
  }

  #tagsOf(digest: Digest): Tag[] {
    return [...this.tags].filter(([, target]) => target.digest === digest).map(([tag]) => tag)
  }

  #deletionOf(subject: Digest | null): Moment | null {
    return subject === null ? null : (this.manifests.get(subject)?.deleted ?? null)
  }

  #isBefore(one: Moment, other: Moment | null, surely = false): boolean {
    return other !== null && one.turn < other.turn && (!surely || one.at < other.at)
  }
}

/** Promises of all repositories. */
export class Promises {
  readonly repositories = new Map<RepositoryName, RepositoryPromises>()

  of(name: RepositoryName): RepositoryPromises {
    const found = this.repositories.get(name) ?? new RepositoryPromises()
    this.repositories.set(name, found)
    return found
  }
}
