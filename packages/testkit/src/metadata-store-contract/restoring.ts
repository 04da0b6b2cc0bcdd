import { describe, expect, test } from 'vitest'
import type { MetadataStore, PutManifest, RestoredManifest } from '@openregistry/core'
import { mediaTypes, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { blobAt, diskAlone, manifestAt, pushBlob, pushManifest, refused, tagsOf } from './actions.ts'
import { newName, unknownDigest } from './content.ts'
import { wholeHistory } from './history.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const tag = (text: string): Tag => text as Tag

function restore(
  store: MetadataStore,
  repository: RepositoryName,
  digest: Digest,
  to: string | null = null,
): Promise<RestoredManifest | null> {
  return store.restoreManifest({
    rules: diskAlone,
    repository,
    digest,
    tag: to === null ? null : tag(to),
    principal: 'user:undo',
  })
}

function pushIndex(
  store: MetadataStore,
  name: RepositoryName,
  children: readonly Digest[],
  over: Partial<PutManifest> = {},
): Promise<PutManifest> {
  const references = children.map((digest) => ({ digest, kind: 'manifest' }) as const)
  return pushManifest(store, name, { ...over, mediaType: mediaTypes.ociIndex, references })
}

async function deleteAll(
  store: MetadataStore,
  name: RepositoryName,
  manifests: readonly PutManifest[],
): Promise<void> {
  for (const { digest } of manifests) await store.deleteManifest(name, digest, 'user:ada')
}

/** Every change begins where the one before ended, and the last ones are what is there. */
async function expectUnbroken(store: MetadataStore, name: RepositoryName): Promise<void> {
  const present = new Map<string, Digest | null>()
  for (const { tag: of, from, to } of (await wholeHistory(store, name, null, 50)).toReversed()) {
    expect(from).toBe(present.get(of) ?? null)
    present.set(of, to)
  }
  for (const [of, to] of present) expect((await manifestAt(store, name, of))?.digest ?? null).toBe(to)
}

/** Getting back what was deleted. */
export function restoringTests(open: OpenMetadataStore): void {
  describe('restoreManifest', () => {
    const store = sharedStore(open)

    test('brings a deleted manifest back, with its bytes, its tags and their history', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const image = await pushManifest(store(), name, { blobs: [blob.sha256], tags: tags('b', 'a') })
      await store().deleteManifest(name, image.digest, 'user:ada')
      expect(await restore(store(), name, image.digest)).toStrictEqual({
        manifests: [image.digest],
        tags: ['a', 'b'],
        missing: [],
      })
      expect((await manifestAt(store(), name, 'a'))?.bytes).toStrictEqual(image.bytes)
      expect(await tagsOf(store(), name)).toStrictEqual(['a', 'b'])
      expect(await store().findDeletedManifest(name, image.digest)).toBeNull()
      const [newest] = await wholeHistory(store(), name, tag('a'))
      expect(newest).toMatchObject({ from: null, to: image.digest, changedBy: 'user:undo', manifest: 'live' })
    })

    test('takes its links from the queue of the collector, and puts them there again afterwards', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const { digest } = await pushManifest(store(), name, { blobs: [blob.sha256] })
      const needed = { leaseUntil: null, unreferencedSince: null }
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await blobAt(store(), name, blob.sha256)).not.toMatchObject(needed)
      await restore(store(), name, digest)
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject(needed)
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await blobAt(store(), name, blob.sha256)).not.toMatchObject(needed)
    })

    test('counts again as somebody who needs its blobs', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const [image, other] = [
        await pushManifest(store(), name, { blobs: [blob.sha256] }),
        await pushManifest(store(), name, { blobs: [blob.sha256] }),
      ]
      await store().deleteManifest(name, image.digest, 'user:ada')
      await restore(store(), name, image.digest)
      await store().deleteManifest(name, other.digest, 'user:ada')
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({ unreferencedSince: null })
    })

    test('leaves tags alone that were deleted before, or are taken by now', async () => {
      const name = newName()
      const image = await pushManifest(store(), name, { tags: tags('kept', 'taken', 'retaken') })
      const other = await pushManifest(store(), name)
      await store().deleteManifest(name, image.digest, 'user:ada')
      await store().putManifest({ ...other, tags: tags('taken', 'retaken') })
      await store().deleteTag(name, tag('retaken'), 'user:ada')
      expect(await restore(store(), name, image.digest)).toMatchObject({ tags: ['kept'] })
      expect((await manifestAt(store(), name, 'taken'))?.digest).toBe(other.digest)
      expect(await tagsOf(store(), name)).toStrictEqual(['kept', 'taken'])
    })

    test('points one tag back, wherever it points now', async () => {
      const name = newName()
      const first = await pushManifest(store(), name, { tags: tags('a', 'b') })
      const second = await pushManifest(store(), name, { tags: tags('a', 'b') })
      const outcome = { manifests: [], tags: ['a'], missing: [] }
      expect(await restore(store(), name, first.digest, 'a')).toStrictEqual(outcome)
      expect((await manifestAt(store(), name, 'a'))?.digest).toBe(first.digest)
      expect((await manifestAt(store(), name, 'b'))?.digest).toBe(second.digest)
      await store().deleteTag(name, tag('a'), 'user:ada')
      expect(await restore(store(), name, second.digest, 'a')).toStrictEqual(outcome)
      await store().deleteManifest(name, first.digest, 'user:ada')
      expect(await restore(store(), name, first.digest, 'a')).toMatchObject({
        manifests: [first.digest],
        tags: ['a'],
      })
      expect((await manifestAt(store(), name, 'a'))?.digest).toBe(first.digest)
    })

    test('changes nothing for a manifest that is here', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name, { tags: tags('a') })
      const before = await wholeHistory(store(), name)
      const nothing = { manifests: [], tags: [], missing: [] }
      expect(await restore(store(), name, digest)).toStrictEqual(nothing)
      await restore(store(), name, digest, 'a')
      expect(await wholeHistory(store(), name)).toStrictEqual(before)
    })

    test('is null for what is not there', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name)
      expect(await restore(store(), name, unknownDigest())).toBeNull()
      expect(await restore(store(), newName(), digest, 'a')).toBeNull()
      await store().deleteManifest(name, digest, 'user:ada')
      await store().deleteRepository(name, 'user:ada')
      await pushManifest(store(), name)
      expect(await restore(store(), name, digest)).toBeNull()
    })

    test('refuses and changes nothing while blobs are not readable here, and names them', async () => {
      const name = newName()
      const blobs = [await pushBlob(store(), name), await pushBlob(store(), name)]
      const image = await pushManifest(store(), name, {
        blobs: blobs.map(({ sha256 }) => sha256),
        tags: tags('a'),
      })
      await store().deleteManifest(name, image.digest, 'user:ada')
      const hidden = blobs[1]!.sha256
      await store().deleteBlob(name, hidden)
      for (const to of [null, 'a', 'b']) {
        const error = await refused(restore(store(), name, image.digest, to), 'MANIFEST_BLOB_UNKNOWN')
        expect(error.detail).toStrictEqual({ missing: [hidden] })
        expect(error.message).toContain(hidden)
      }
      expect(await tagsOf(store(), name)).toStrictEqual([])
      expect((await blobAt(store(), name, blobs[0]!.sha256))?.unreferencedSince).not.toBeNull()
      await pushBlob(store(), name, blobs[1])
      expect(await restore(store(), name, image.digest)).toMatchObject({ tags: ['a'] })
    })
  })

  indexTests(open)
}

function indexTests(open: OpenMetadataStore): void {
  describe('restoreManifest of an index', () => {
    const store = sharedStore(open)

    test('brings back the manifests that it names, however deep', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const child = await pushManifest(store(), name, { blobs: [blob.sha256], tags: tags('child') })
      const inner = await pushIndex(store(), name, [child.digest])
      const kept = await pushManifest(store(), name)
      const outer = await pushIndex(store(), name, [inner.digest, kept.digest, child.digest])
      await deleteAll(store(), name, [outer, child, inner])
      const restored = await restore(store(), name, outer.digest, 'v1')
      expect(restored).toMatchObject({ tags: ['v1'], missing: [] })
      expect(restored?.manifests[0]).toBe(outer.digest)
      expect(restored?.manifests.toSorted()).toStrictEqual(
        [outer, inner, child].map(({ digest }) => digest).toSorted(),
      )
      for (const { digest } of [outer, inner, child, kept]) {
        expect(await manifestAt(store(), name, digest)).not.toBeNull()
      }
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
      expect(await tagsOf(store(), name), 'tags of children are others').toStrictEqual(['v1'])
    })

    test('says which are missing: unknown ones, and those whose blobs are gone', async () => {
      const name = newName()
      const [blob, unknown] = [await pushBlob(store(), name), unknownDigest()]
      const broken = await pushManifest(store(), name, { blobs: [blob.sha256] })
      const whole = await pushManifest(store(), name)
      const index = await pushIndex(store(), name, [broken.digest, unknown, whole.digest])
      await deleteAll(store(), name, [index, broken, whole])
      await store().deleteBlob(name, blob.sha256)
      const restored = await restore(store(), name, index.digest)
      expect(restored?.manifests).toStrictEqual([index.digest, whole.digest])
      expect(restored?.missing.toSorted()).toStrictEqual([broken.digest, unknown].toSorted())
      expect(await manifestAt(store(), name, broken.digest)).toBeNull()
      // Once its blob is back, the same request brings the rest of an index that is here already.
      await pushBlob(store(), name, blob)
      expect(await restore(store(), name, index.digest)).toStrictEqual({
        manifests: [broken.digest],
        tags: [],
        missing: [unknown],
      })
    })

    test('ends where indexes name each other', async () => {
      const name = newName()
      const [one, other] = [unknownDigest(), unknownDigest()]
      const first = await pushIndex(store(), name, [other], { digest: one })
      const second = await pushIndex(store(), name, [one], { digest: other })
      await deleteAll(store(), name, [first, second])
      expect((await restore(store(), name, one))?.manifests).toStrictEqual([one, other])
      await deleteAll(store(), name, [first])
      expect((await restore(store(), name, other))?.manifests).toStrictEqual([one])
    })
  })

  describe('restoreManifest beside others', () => {
    const store = sharedStore(open)

    test('waits for them, and what is live is whole', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const images = await Promise.all(
        ['a', 'b', 'c', 'd'].map((text) =>
          pushManifest(store(), name, { blobs: [blob.sha256], tags: tags(text) }),
        ),
      )
      const digests = images.map(({ digest }) => digest)
      const index = await pushIndex(store(), name, digests)
      await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          const image = images[n % images.length]!
          if (n % 5 === 0) return restore(store(), name, index.digest, 'index')
          if (n % 5 === 1) return store().deleteManifest(name, image.digest, 'user:ada')
          if (n % 5 === 2) return restore(store(), name, image.digest)
          if (n % 5 === 3) return store().deleteManifest(name, index.digest, 'user:ada')
          return store().putManifest(image)
        }),
      )
      await restore(store(), name, index.digest, 'index')
      for (const digest of digests) expect(await manifestAt(store(), name, digest)).not.toBeNull()
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
      await expectUnbroken(store(), name)
    })

    test('leaves a history without gaps when all of them want one tag', async () => {
      const name = newName()
      const images = await Promise.all(
        Array.from({ length: 4 }, () => pushManifest(store(), name, { tags: tags('latest') })),
      )
      await Promise.all(
        Array.from({ length: 120 }, async (_, n) => {
          const image = images[(n * 7) % images.length]!
          if (n % 4 === 0) return store().deleteManifest(name, image.digest, 'user:ada')
          if (n % 4 === 1) return restore(store(), name, image.digest, 'latest')
          if (n % 4 === 2) return restore(store(), name, image.digest)
          return n % 8 === 3 ? store().deleteTag(name, tag('latest'), 'user:ada') : store().putManifest(image)
        }),
      )
      await expectUnbroken(store(), name)
    })
  })
}
