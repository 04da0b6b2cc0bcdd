import { describe, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import {
  blobAt,
  commitOf,
  diskAlone,
  hour,
  manifestAt,
  openSession,
  partAt,
  pendingKeys,
  pushBlob,
  pushManifest,
  refused,
} from './actions.ts'
import { aloneIn, collectAll, isGivenUp, keyOf, longGrace, noLease } from './collecting.ts'
import { hashedContent, newName } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const nothing = { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 }

/** What the collector takes, and what it must leave. */
export function collectionTests(open: OpenMetadataStore): void {
  leaseTests(open)
  neededTests(open)
  sharedTests(open)
  deletedTests(open)
}

function leaseTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: leases', () => {
    test(
      'finds nothing in an empty store',
      alone(async (store) => {
        expect(await collectAll(store)).toStrictEqual(nothing)
        expect(await store.compact()).toBe(false)
      }),
    )

    test(
      'a blob that no manifest needs goes when its lease is over',
      alone(async (store) => {
        const name = newName()
        const [over, leased] = [await pushBlob(store, name, undefined, noLease), await pushBlob(store, name)]
        expect(await collectAll(store, { grace: longGrace })).toStrictEqual({
          ...nothing,
          links: 1,
          blobs: 1,
          bytes: over.size,
        })
        expect(await blobAt(store, name, over.sha256)).toBeNull()
        expect(await pendingKeys(store)).toStrictEqual([keyOf(over)])
        expect(await blobAt(store, name, leased.sha256)).not.toBeNull()
        // The grace is for what was needed once; a lease is a promise.
        expect(await collectAll(store)).toStrictEqual(nothing)
      }),
    )

    test(
      'HEAD saves it: the lease is renewed, or the answer is that it is gone',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name, undefined, noLease)
        const { id } = (await store.findRepository(name))!
        expect(await store.renewLease(id, blob.sha256, hour)).toBe(true)
        expect(await collectAll(store)).toStrictEqual(nothing)
        await store.renewLease(id, blob.sha256, 0)
        await pushBlob(store, name, hashedContent(blob.bytes), noLease)
        expect(await collectAll(store)).toStrictEqual(nothing)
        const other = await pushBlob(store, name, undefined, noLease)
        await collectAll(store)
        expect(await store.renewLease(id, other.sha256, hour)).toBe(false)
      }),
    )

    test(
      'a mount has a lease of its own',
      alone(async (store) => {
        const [from, to] = [newName(), newName()]
        const blob = await pushBlob(store, from, undefined, noLease)
        await mount(store, from, to, blob.sha256)
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 0 })
        expect(await blobAt(store, from, blob.sha256)).toBeNull()
        expect(await blobAt(store, to, blob.sha256)).not.toBeNull()
        expect(await isGivenUp(store, blob)).toBe(false)
      }),
    )

    test(
      'content that was collected can be pushed again, and has a new object',
      alone(async (store) => {
        const name = newName()
        const first = await pushBlob(store, name, undefined, noLease)
        await collectAll(store)
        const again = await pushBlob(store, name, hashedContent(first.bytes))
        expect(await collectAll(store)).toStrictEqual(nothing)
        expect(await blobAt(store, name, first.sha256)).toMatchObject({ location: { key: keyOf(again) } })
        expect(await pendingKeys(store)).toStrictEqual([keyOf(first)])
      }),
    )

    test(
      'a push between the two steps keeps the bytes',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name, undefined, noLease)
        await store.collectLinks({ grace: 0, limit: 10 })
        expect(await blobAt(store, name, blob.sha256)).toBeNull()
        const again = await pushBlob(store, name, hashedContent(blob.bytes))
        expect(await store.collectBlobs({ limit: 10, rules: diskAlone })).toMatchObject({
          blobs: 0,
          more: false,
        })
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: { key: keyOf(blob) } })
        expect(await pendingKeys(store)).toStrictEqual([keyOf(again)])
      }),
    )
  })
}

function neededTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: what is needed', () => {
    test(
      'blobs of tagged and of untagged manifests stay, whatever their lease was',
      alone(async (store) => {
        const name = newName()
        const [layer, config] = [
          await pushBlob(store, name, undefined, noLease),
          await pushBlob(store, name, undefined, noLease),
        ]
        const image = await pushManifest(store, name, { blobs: [layer.sha256], tags: tags('v1') })
        const untagged = await pushManifest(store, name, { blobs: [config.sha256] })
        await pushManifest(store, name, { tags: tags('v1') })
        expect(await collectAll(store)).toStrictEqual(nothing)
        for (const { digest } of [image, untagged])
          expect(await manifestAt(store, name, digest)).not.toBeNull()
        for (const { sha256 } of [layer, config]) expect(await blobAt(store, name, sha256)).not.toBeNull()
      }),
    )

    test(
      'a link that is due and turns out to be needed is put right',
      alone(async (store) => {
        const name = newName()
        const foreign = hashedContent()
        // The manifest was there first, so nothing ended the lease of the link.
        const manifest = await pushManifest(store, name, {
          references: [{ digest: foreign.sha256, kind: 'foreign' }],
        })
        await pushBlob(store, name, foreign, noLease)
        expect(await collectAll(store)).toStrictEqual(nothing)
        expect(await blobAt(store, name, foreign.sha256)).toMatchObject({
          leaseUntil: null,
          unreferencedSince: null,
        })
        await store.deleteManifest(name, manifest.digest, 'user:ada')
        expect((await blobAt(store, name, foreign.sha256))?.unreferencedSince).not.toBeNull()
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 2, manifests: 1 })
      }),
    )

    test(
      'what a deleted manifest needed stays for the time of grace',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const { digest } = await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        await store.deleteManifest(name, digest, 'user:ada')
        expect(await collectAll(store, { grace: longGrace })).toStrictEqual(nothing)
        expect(await blobAt(store, name, blob.sha256)).not.toBeNull()
        expect(await collectAll(store)).toMatchObject({ manifests: 1, links: 1, blobs: 2 })
        expect(await blobAt(store, name, blob.sha256)).toBeNull()
        expect(await pendingKeys(store)).toStrictEqual([keyOf(blob)])
      }),
    )

    test(
      'a lease that is over does not shorten the grace, and a grace does not shorten a lease',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const { digest } = await pushManifest(store, name, { blobs: [blob.sha256] })
        await store.deleteManifest(name, digest, 'user:ada')
        const { id } = (await store.findRepository(name))!
        await store.renewLease(id, blob.sha256, 0)
        expect(await collectAll(store, { grace: longGrace })).toStrictEqual(nothing)
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ leaseUntil: null })
        await store.renewLease(id, blob.sha256, hour)
        expect(await collectAll(store)).toMatchObject({ links: 0 })
        expect(await blobAt(store, name, blob.sha256)).not.toBeNull()
      }),
    )

    test(
      'a manifest that is pushed again in its time of grace needs everything again',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name, undefined, noLease)
        const manifest = await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        await store.deleteManifest(name, manifest.digest, 'user:ada')
        await store.putManifest(manifest)
        expect(await collectAll(store)).toStrictEqual(nothing)
        expect(await manifestAt(store, name, 'v1')).not.toBeNull()
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ unreferencedSince: null })
      }),
    )

    test(
      'a manifest that was collected can be pushed once its blobs are there again',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name, undefined, noLease)
        const manifest = await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        await store.deleteManifest(name, manifest.digest, 'user:ada')
        await collectAll(store)
        const error = await refused(store.putManifest(manifest), 'MANIFEST_BLOB_UNKNOWN')
        expect(error.detail).toStrictEqual({ missing: [blob.sha256] })
        await pushBlob(store, name, hashedContent(blob.bytes))
        await store.putManifest(manifest)
        expect((await manifestAt(store, name, 'v1'))?.bytes).toStrictEqual(manifest.bytes)
        expect(await collectAll(store)).toStrictEqual(nothing)
      }),
    )

    test(
      'a hidden blob keeps its bytes while a manifest needs it',
      alone(async (store) => {
        const name = newName()
        const [needed, free] = [await pushBlob(store, name), await pushBlob(store, name, undefined, noLease)]
        const { digest } = await pushManifest(store, name, { blobs: [needed.sha256] })
        for (const { sha256 } of [needed, free]) await store.deleteBlob(name, sha256)
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 1 })
        expect(await pendingKeys(store)).toStrictEqual([keyOf(free)])
        // Pushed again it is readable, from the object that stayed.
        const again = await pushBlob(store, name, hashedContent(needed.bytes))
        expect(await blobAt(store, name, needed.sha256)).toMatchObject({ location: { key: keyOf(needed) } })
        await store.deleteBlob(name, needed.sha256)
        await store.deleteManifest(name, digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 1, links: 1, blobs: 2 })
        expect((await pendingKeys(store)).sort()).toStrictEqual(
          [keyOf(free), keyOf(needed), keyOf(again)].sort(),
        )
      }),
    )

    test(
      'the same digest under another media type drops what it no longer names',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const manifest = await pushManifest(store, name, { blobs: [blob.sha256] })
        await store.putManifest({ ...manifest, mediaType: 'application/y', references: [] })
        expect(await collectAll(store, { grace: longGrace })).toStrictEqual(nothing)
        expect(await collectAll(store)).toMatchObject({ manifests: 0, links: 1, blobs: 1 })
      }),
    )
  })
}

function sharedTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: content in several places', () => {
    test(
      'a blob stays until the last repository lets it go',
      alone(async (store) => {
        const names = [newName(), newName(), newName()] as const
        const blob = await pushBlob(store, names[0])
        for (const name of names.slice(1)) await mount(store, names[0], name, blob.sha256)
        const manifests: Digest[] = []
        for (const name of names) {
          manifests.push((await pushManifest(store, name, { blobs: [blob.sha256] })).digest)
        }
        for (const [index, name] of names.entries()) {
          expect(await isGivenUp(store, blob)).toBe(false)
          await store.deleteManifest(name, manifests[index]!, 'user:ada')
          expect(await collectAll(store)).toMatchObject({ links: 1, blobs: index === 2 ? 2 : 1 })
          expect(await blobAt(store, name, blob.sha256)).toBeNull()
        }
        expect(await pendingKeys(store)).toStrictEqual([keyOf(blob)])
      }),
    )

    test(
      'every link of a blob counts, under whichever digest',
      alone(async (store) => {
        const name = newName()
        const content = hashedContent()
        await pushBlob(store, name, content, noLease)
        const other = await pushBlob(store, name, content, { digest: content.sha512, sha512: content.sha512 })
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 0 })
        expect(await blobAt(store, name, content.sha256)).toBeNull()
        expect(await blobAt(store, name, content.sha512)).not.toBeNull()
        expect(await pendingKeys(store)).toStrictEqual([keyOf(other)])
      }),
    )

    test(
      'every location goes, inline ones without an object',
      alone(async (store) => {
        const name = newName()
        const content = hashedContent()
        const inline = { stored: { kind: 'inline', bytes: content.bytes }, ...noLease } as const
        const disk = await pushBlob(store, name, content, noLease)
        const elsewhere = { ...diskAlone, backends: ['elsewhere', 'disk'] }
        const { id } = await openSession(store, name, { rules: elsewhere })
        const part = partAt(id, 0, content)
        await store.addPart({ upload: id, part, lifetime: hour })
        await store.commitBlob(
          commitOf(id, content, { offset: content.size, stored: part.stored, lease: 0, rules: elsewhere }),
        )
        await pushBlob(store, name, content, inline)
        expect(await store.previewCollection(0, 10)).toMatchObject({ blobs: 1, bytes: 3 * content.size })
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 1, bytes: 3 * content.size })
        const pending = await store.listPendingDeletes(10)
        expect(pending.map(({ backend, key }) => `${backend} ${key}`).sort()).toStrictEqual(
          [`disk ${keyOf(disk)}`, `elsewhere ${part.stored.kind === 'object' ? part.stored.key : ''}`].sort(),
        )
      }),
    )

    test(
      'a blob that is a manifest as well stays while either is needed',
      alone(async (store) => {
        const [name, other] = [newName(), newName()]
        const manifest = await pushManifest(store, name)
        const content = hashedContent(manifest.bytes)
        await pushBlob(store, other, content, noLease)
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 0 })
        expect((await manifestAt(store, name, manifest.digest))?.bytes).toStrictEqual(manifest.bytes)
        await pushBlob(store, other, content)
        await store.deleteManifest(name, manifest.digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 1, blobs: 0 })
        expect(await blobAt(store, other, content.sha256)).not.toBeNull()
      }),
    )

    test(
      'a large blob goes with its blocks',
      alone(async (store) => {
        const name = newName()
        const large = await pushBlob(store, name, hashedContent(new Uint8Array(3 * 2 ** 20 + 1)), noLease)
        expect(await collectAll(store)).toMatchObject({ blobs: 1, bytes: large.size })
        await pushBlob(store, name, hashedContent(large.bytes))
        expect(await blobAt(store, name, large.sha256)).not.toBeNull()
      }),
    )
  })
}

function deletedTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: deleted repositories', () => {
    test(
      'give everything back at once, without lease or grace',
      alone(async (store) => {
        const [name, other] = [newName(), newName()]
        const [leased, needed, shared] = [
          await pushBlob(store, name),
          await pushBlob(store, name),
          await pushBlob(store, name),
        ]
        const deleted = await pushManifest(store, name, { blobs: [leased.sha256] })
        await store.deleteManifest(name, deleted.digest, 'user:ada')
        await pushManifest(store, name, { blobs: [needed.sha256, shared.sha256], tags: tags('v1', 'v2') })
        await mount(store, name, other, shared.sha256)
        const { id } = await openSession(store, name)
        const part = partAt(id, 0, hashedContent('abc'))
        await store.addPart({ upload: id, part, lifetime: hour })
        await store.deleteRepository(name, 'user:ada')
        expect(await collectAll(store, { grace: longGrace })).toStrictEqual({
          repositories: 1,
          manifests: 2,
          links: 3,
          blobs: 4,
          bytes: expect.any(Number),
        })
        expect((await pendingKeys(store)).sort()).toStrictEqual(
          [keyOf(leased), keyOf(needed), part.stored.kind === 'object' ? part.stored.key : ''].sort(),
        )
        expect(await blobAt(store, other, shared.sha256)).not.toBeNull()
        expect(await collectAll(store)).toStrictEqual(nothing)
      }),
    )

    test(
      'leave a new repository of the same name alone',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        await store.deleteRepository(name, 'user:ada')
        const again = await pushBlob(store, name, hashedContent(blob.bytes))
        await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        expect(await collectAll(store)).toMatchObject({ repositories: 1, manifests: 1, links: 1 })
        expect(await manifestAt(store, name, 'v1')).not.toBeNull()
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: { key: keyOf(blob) } })
        expect(await pendingKeys(store)).toStrictEqual([keyOf(again)])
      }),
    )

    test(
      'are emptied in steps, none larger than it is told',
      alone(async (store) => {
        const name = newName()
        for (let n = 0; n < 7; n++) {
          const blob = await pushBlob(store, name)
          await pushManifest(store, name, { blobs: [blob.sha256], tags: tags(`t${n}`) })
        }
        await store.deleteRepository(name, 'user:ada')
        let [manifests, links, turns] = [0, 0, 0]
        for (let more = true; more; turns++) {
          const step = await store.emptyRepositories({ limit: 3 })
          expect(step.manifests + step.links).toBeLessThanOrEqual(3)
          manifests += step.manifests
          links += step.links
          more = step.more
        }
        expect([manifests, links]).toStrictEqual([7, 7])
        expect(turns).toBeGreaterThan(7)
        expect(await store.emptyRepositories({ limit: 3 })).toMatchObject({ repositories: 0, more: false })
      }),
    )

    test(
      'many empty ones take one step',
      alone(async (store) => {
        for (let n = 0; n < 5; n++) {
          const name = newName()
          await pushManifest(store, name)
          await store.deleteRepository(name, 'user:ada')
        }
        expect(await store.emptyRepositories({ limit: 100 })).toMatchObject({ repositories: 5, manifests: 5 })
      }),
    )
  })
}

/** Mounts a blob for an hour. */
async function mount(store: MetadataStore, from: RepositoryName, to: RepositoryName, digest: Digest) {
  const source = (await store.findRepository(from))!.id
  const done = await store.mountBlob({
    rules: diskAlone,
    source,
    target: to,
    defaultVisibility: 'private',
    digest,
    lease: hour,
  })
  expect(done).toBe(true)
}
