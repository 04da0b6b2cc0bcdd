import { expect } from 'vitest'
import {
  deletePending,
  newStorageKey,
  sweep,
  type MetadataStore,
  type Ports,
  type StorageKey,
  type UploadPart,
  type UploadSession,
} from '@openregistry/core'
import { RegistryError, type Digest, type RepositoryName } from '@openregistry/oci'
import { commitOf, diskAlone, openSession, partAt } from '../metadata-store-contract/actions.ts'
import { collectAll } from '../metadata-store-contract/collecting.ts'
import { hashedContent, type HashedContent } from '../metadata-store-contract/content.ts'
import type { ClockedRegistry } from './opened-registry.ts'
import { Promises } from './promises.ts'
import type { Action } from './steps.ts'
import { chunksOfBlob, newWorld, times, type World } from './world.ts'

/** One run: takes random steps, and expects after each that every promise is kept. */
export class CollectionRun {
  readonly #registry: ClockedRegistry
  readonly #store: MetadataStore
  readonly #ports: Ports
  readonly #world: World = newWorld()
  readonly #promises = new Promises()
  readonly #sessions = new Map<string, { session: UploadSession; chunks: number }>()

  constructor(registry: ClockedRegistry) {
    this.#registry = registry
    this.#store = registry.metadata
    // Only what housekeeping needs of the ports.
    this.#ports = {
      metadata: registry.metadata,
      backends: new Map([[registry.blobs.backend, registry.blobs]]),
      settings: { grace: times.grace, lease: times.lease },
    } as unknown as Ports
  }

  async take(action: Action): Promise<void> {
    await this.#do(action)
    await this.#notice()
  }

  async #do(action: Action): Promise<void> {
    switch (action.do) {
      case 'wait':
        return this.#registry.advance(action.milliseconds)
      case 'collect':
        return this.#collectStep(action.step, action.limit)
      case 'collect all':
        await collectAll(this.#store, { grace: times.grace })
        return
      case 'sweep':
        await sweep(this.#ports)
        return
      case 'mount':
        return this.#mount(this.#name(action.repository), this.#name(action.target), this.#blob(action.blob))
      case 'image':
        for (const { digest, kind } of this.#world.manifests[action.manifest]!.references) {
          const blob = kind === 'blob' ? this.#world.blobs.find(({ sha256 }) => sha256 === digest) : undefined
          if (blob !== undefined) await this.#push(this.#name(action.repository), blob)
        }
        return this.#put(action)
      case 'put':
        return this.#put(action)
      case 'delete':
      case 'restore':
        return this.#manifest(action.do, this.#name(action.repository), action.manifest)
      case 'untag':
        return this.#untag(this.#name(action.repository), action.tag)
      case 'drop':
        await this.#store.deleteRepository(this.#name(action.repository), 'user:ada')
        this.#promises.repositories.delete(this.#name(action.repository))
        return
      case 'push':
      case 'chunk':
      case 'finish':
      case 'head':
      case 'hide':
      case 'stray':
        return this.#onBlob(action.do, this.#name(action.repository), this.#blob(action.blob))
    }
  }

  async #onBlob(
    what: 'push' | 'chunk' | 'finish' | 'head' | 'hide' | 'stray',
    name: RepositoryName,
    blob: HashedContent,
  ): Promise<void> {
    if (what === 'push') return this.#push(name, blob)
    if (what === 'head') return this.#head(name, blob.sha256)
    if (what === 'hide') {
      if (await this.#store.deleteBlob(name, blob.sha256)) this.#promises.of(name).hide(blob.sha256)
      return
    }
    const upload = `${name} ${blob.sha256}`
    const known = this.#sessions.get(upload)
    if (known === undefined) {
      const session = await openSession(this.#store, name, { lifetime: times.lifetime })
      this.#sessions.set(upload, { session, chunks: 0 })
      return
    }
    if (what === 'stray') {
      const open = await this.#store.findUpload(name, known.session.id)
      if (open !== null) await this.#write(newStorageKey(known.session.id), blob.bytes)
      return
    }
    try {
      if (what === 'chunk' && known.chunks < chunksOfBlob) {
        await this.#chunk(known, blob)
        return
      }
      if (known.chunks === chunksOfBlob) await this.#finish(name, known.session, blob)
    } catch (error) {
      // A session lives until its expiry, or with its repository.
      if (!(error instanceof RegistryError) || error.code !== 'BLOB_UPLOAD_UNKNOWN') throw error
      const there = await this.#store.findUpload(name, known.session.id)
      expect(there).toBeNull()
    }
    if (what === 'finish' || known.chunks > chunksOfBlob) this.#sessions.delete(upload)
  }

  async #push(name: RepositoryName, blob: HashedContent): Promise<void> {
    const { id } = await openSession(this.#store, name, { lifetime: times.lifetime })
    const commit = commitOf(id, blob, { lease: times.lease })
    if (commit.stored.kind === 'object') await this.#write(commit.stored.key, blob.bytes)
    await this.#store.commitBlob(commit)
    this.#promises.of(name).extend(blob.sha256, this.#now + times.lease, true)
  }

  async #chunk(upload: { session: UploadSession; chunks: number }, blob: HashedContent): Promise<void> {
    const size = Math.ceil(blob.size / chunksOfBlob)
    const offset = upload.chunks * size
    const part = partAt(upload.session.id, offset, hashedContent(blob.bytes.slice(offset, offset + size)))
    if (part.stored.kind === 'object')
      await this.#write(part.stored.key, blob.bytes.slice(offset, offset + size))
    await this.#unlessRefused(part.stored, () =>
      this.#store.addPart({ upload: upload.session.id, part, lifetime: times.lifetime }),
    )
    upload.chunks++
  }

  /** Joins the parts, as the use case does. */
  async #finish(name: RepositoryName, session: UploadSession, blob: HashedContent): Promise<void> {
    const parts = await this.#store.listParts(session.id)
    for (const { stored } of parts) if (stored.kind === 'object') await this.#read(stored.key)
    const commit = commitOf(session.id, blob, { offset: blob.size, lease: times.lease })
    if (commit.stored.kind === 'object') await this.#write(commit.stored.key, blob.bytes)
    await this.#unlessRefused(commit.stored, () => this.#store.commitBlob(commit))
    this.#promises.of(name).extend(blob.sha256, this.#now + times.lease, true)
  }

  /** A writer whose step was refused deletes its own object, as the use cases do. */
  async #unlessRefused(stored: UploadPart['stored'], step: () => Promise<unknown>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (stored.kind === 'object') await this.#registry.blobs.delete(stored.key)
      throw error
    }
  }

  /** As `describeBlob` answers a HEAD. */
  async #head(name: RepositoryName, digest: Digest): Promise<void> {
    const found = await this.#store.findBlob(name, digest)
    if (found?.blob?.location == null) return
    const { leaseUntil, unreferencedSince, now } = found.blob
    if (leaseUntil === null && unreferencedSince === null) return
    if (leaseUntil !== null && leaseUntil >= now + times.lease / 2) return
    if (await this.#store.renewLease(found.repository.id, digest, times.lease / 2))
      this.#promises.of(name).extend(digest, now + times.lease / 2, false)
  }

  async #mount(from: RepositoryName, to: RepositoryName, blob: HashedContent): Promise<void> {
    const source = await this.#store.findRepository(from)
    if (source === null) return
    const mounted = await this.#store.mountBlob({
      rules: diskAlone,
      source: source.id,
      target: to,
      defaultVisibility: 'private',
      digest: blob.sha256,
      lease: times.lease,
    })
    if (this.#promises.of(from).promised(blob.sha256, this.#now)) expect(mounted).toBe(true)
    if (mounted) this.#promises.of(to).extend(blob.sha256, this.#now + times.lease, true)
  }

  async #put({ repository, manifest, tags }: Extract<Action, { do: 'put' | 'image' }>): Promise<void> {
    const name = this.#name(repository)
    const promises = this.#promises.of(name)
    const wanted = { ...this.#world.manifests[manifest]!, tags: tags.map((tag) => this.#world.tags[tag]!) }
    try {
      await this.#store.putManifest({ repository: name, ...wanted })
      promises.put(wanted, this.#now)
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'MANIFEST_BLOB_UNKNOWN') throw error
      const blobs = wanted.references.filter(({ kind }) => kind === 'blob')
      const broken = blobs.filter(({ digest }) => !promises.promised(digest, this.#now))
      expect(broken, 'a manifest was refused although every blob was promised').not.toStrictEqual([])
    }
  }

  async #manifest(what: 'delete' | 'restore', name: RepositoryName, index: number): Promise<void> {
    const { digest, references } = this.#world.manifests[index]!
    const promises = this.#promises.of(name)
    if (what === 'delete') {
      if (await this.#store.deleteManifest(name, digest, 'user:ada')) promises.delete(digest, this.#now)
      return
    }
    const deletedAt = promises.manifests.get(digest)?.deleted?.at ?? null
    const kept = deletedAt !== null && this.#now < deletedAt + times.grace
    const whole = references.every((one) => one.kind !== 'blob' || promises.promised(one.digest, this.#now))
    try {
      const restored = await this.#store.restoreManifest({
        rules: diskAlone,
        repository: name,
        digest,
        tag: null,
        principal: 'user:ada',
      })
      if (restored === null) return expect(kept).toBe(false)
      for (const one of restored.manifests) promises.revive(one, this.#now)
      for (const tag of restored.tags) promises.setTag(tag, digest, this.#now)
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'MANIFEST_BLOB_UNKNOWN') throw error
      expect(kept && whole, 'a manifest was not restored although all of it was promised').toBe(false)
    }
  }

  async #untag(name: RepositoryName, index: number): Promise<void> {
    const tag = this.#world.tags[index]!
    await this.#store.deleteTag(name, tag, 'user:ada')
    this.#promises.of(name).tags.delete(tag)
  }

  async #collectStep(step: number, limit: number): Promise<void> {
    const grace = times.grace
    const steps = [
      () => this.#store.emptyRepositories({ limit }),
      () => this.#store.collectManifests({ grace, limit }),
      () => this.#store.collectLinks({ grace, limit }),
      () => this.#store.collectBlobs({ limit, rules: diskAlone }),
      () => deletePending(this.#ports),
    ]
    await steps[step]?.()
  }

  /** Sees which of those manifests and tags went that were allowed to; everything else has to be there. */
  async #notice(): Promise<void> {
    for (const [name, promises] of this.#promises.repositories) {
      for (const digest of promises.manifests.keys()) await this.#noticeManifest(name, digest)
      for (const [tag, { digest }] of promises.tags) {
        const found = await this.#store.findManifest(name, { kind: 'tag', tag }, { bytes: false })
        if (found?.manifest?.digest === digest) continue
        expect(promises.tagMayGo(tag), `tag ${tag} of ${name} is gone`).toBe(true)
        promises.tags.delete(tag)
      }
      for (const digest of promises.links.keys()) {
        if (promises.promised(digest, this.#now)) await this.#expectBlob(name, digest)
      }
      promises.noteOutlived()
    }
    this.#expectSoundQueues()
  }

  /** A preview says what a collection then takes, and how much comes back. The run is over with this. */
  async expectPreview(grace: number): Promise<void> {
    const { content, more, following, pendingDeletes, ...expected } = await this.#store.previewCollection(
      grace,
      1000,
    )
    const live = (await this.#liveManifests()) - following
    const taken = await collectAll(this.#store, { grace })
    expect(taken).toStrictEqual(expected)
    expect(more).toBe(false)
    for (const what of ['manifests', 'links'] as const)
      expect(content.reduce((sum, entry) => sum + entry[what], 0)).toBe(taken[what])
    if (grace > 0) expect(await this.#liveManifests()).toBe(live)
    expect(this.#registry.tables().pending.length).toBeGreaterThanOrEqual(pendingDeletes)
    expect(await this.#store.previewCollection(grace, 1000)).toMatchObject({
      content: [],
      blobs: 0,
      following: 0,
    })
  }

  async #liveManifests(): Promise<number> {
    let count = 0
    for (const name of this.#world.names) {
      for (const { digest } of this.#world.manifests) {
        const found = await this.#store.findManifest(name, { kind: 'digest', digest }, { bytes: false })
        if (found?.manifest != null) count++
      }
    }
    return count
  }

  async #noticeManifest(name: RepositoryName, digest: Digest): Promise<void> {
    const promises = this.#promises.of(name)
    const found = await this.#store.findManifest(name, { kind: 'digest', digest }, { bytes: true })
    const expected = promises.manifests.get(digest)!
    if (!promises.live(digest)) return expect(found?.manifest ?? null).toBeNull()
    if (found?.manifest == null) {
      expect(promises.manifestMayGo(digest), `manifest ${digest} of ${name} is gone`).toBe(true)
      // It went a moment ago: what it needed has no time to stay, as far as this model knows.
      promises.delete(digest, this.#now, 0)
      return
    }
    expect(found.manifest.bytes).toStrictEqual(expected.manifest.bytes)
  }

  async #expectBlob(name: RepositoryName, digest: Digest): Promise<void> {
    const found = await this.#store.findBlob(name, digest)
    const location = found?.blob?.location ?? null
    expect(location, `blob ${digest} of ${name} is gone`).not.toBeNull()
    const bytes = location?.kind === 'object' ? await this.#read(location.key) : location?.bytes
    const content = this.#world.blobs.find(({ sha256 }) => sha256 === digest)!
    expect(bytes).toStrictEqual(content.bytes)
  }

  /** Nothing that a location names may ever be on its way to deletion, and its object is there. */
  #expectSoundQueues(): void {
    const { locations, pending } = this.#registry.tables()
    const named = new Set(locations)
    expect(pending.filter((key) => named.has(key))).toStrictEqual([])
  }

  /** Long after the last step nothing is left that no live manifest needs. */
  async finish(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      this.#registry.advance(times.lease + times.grace + times.lifetime)
      await collectAll(this.#store, { grace: times.grace })
      while ((await sweep(this.#ports)).uploads > 0);
      await this.#notice()
    }
    const tables = this.#registry.tables()
    const needed = this.#needed()
    expect(tables.manifests.map(({ repository, digest }) => `${repository} ${digest}`).sort()).toStrictEqual(
      needed.manifests.sort(),
    )
    const links = tables.links.map(({ repository, digest }) => `${repository} ${digest}`)
    expect(links.filter((link) => !needed.references.has(link))).toStrictEqual([])
    const digests = new Set([...tables.links, ...tables.manifests].map(({ digest }) => digest))
    expect(tables.blobs.filter((digest) => !digests.has(digest))).toStrictEqual([])
    expect(tables.leftovers).toBe(0)
    const objects: StorageKey[] = []
    for await (const key of this.#registry.blobs.list('')) objects.push(key)
    expect(objects.sort()).toStrictEqual(tables.locations.sort())
  }

  #needed(): { manifests: string[]; references: Set<string> } {
    const manifests: string[] = []
    const references = new Set<string>()
    for (const [name, promises] of this.#promises.repositories) {
      for (const [digest, { manifest }] of promises.manifests) {
        if (!promises.live(digest)) continue
        manifests.push(`${name} ${digest}`)
        for (const reference of manifest.references) references.add(`${name} ${reference.digest}`)
      }
      for (const [digest] of promises.manifests) {
        const stays = !promises.manifestMustGo(digest)
        expect(stays, `manifest ${digest} of ${name} should have gone with its subject`).toBe(true)
      }
    }
    return { manifests, references }
  }

  async #write(key: StorageKey, bytes: Uint8Array): Promise<void> {
    await this.#registry.blobs.write(key, once(bytes))
  }

  async #read(key: StorageKey): Promise<Uint8Array> {
    await using reader = await this.#registry.blobs.open(key)
    if (reader === null) throw new Error(`The object ${key} is gone, and a row names it.`)
    const chunks: Uint8Array[] = []
    for await (const chunk of reader.chunks) chunks.push(new Uint8Array(chunk))
    return new Uint8Array(Buffer.concat(chunks))
  }

  get #now(): number {
    return this.#registry.now()
  }

  #name(index: number): RepositoryName {
    return this.#world.names[index]!
  }

  #blob(index: number): HashedContent {
    return this.#world.blobs[index]!
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
