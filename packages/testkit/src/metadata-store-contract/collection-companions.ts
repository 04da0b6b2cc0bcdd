import { describe, expect, test } from 'vitest'
import type { MetadataStore, PutManifest } from '@openregistry/core'
import { mediaTypes, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { blobAt, diskAlone, manifestAt, manifestOf, pushBlob, pushManifest, tagsOf } from './actions.ts'
import { aloneIn, collectAll, longGrace } from './collecting.ts'
import { newName, unknownDigest } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const tagOf = (digest: Digest, suffix = ''): Tag => `${digest.replace(':', '-')}${suffix}` as Tag

/** What belongs to a manifest: children, referrers, and tags that name it. */
export function companionTests(open: OpenMetadataStore): void {
  indexTests(open)
  referrerTests(open)
  fallbackTests(open)
  wantedTests(open)
}

/** Pushes an index of these. */
function pushIndex(
  store: MetadataStore,
  name: RepositoryName,
  children: readonly Digest[],
  ...names: string[]
) {
  const references = children.map((digest) => ({ digest, kind: 'manifest' }) as const)
  return pushManifest(store, name, { references, tags: tags(...names), mediaType: mediaTypes.ociIndex })
}

function indexTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: indexes', () => {
    test(
      'children stay with their blobs, however deep, and when the index is gone',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const child = await pushManifest(store, name, { blobs: [blob.sha256] })
        const inner = await pushIndex(store, name, [child.digest])
        const outer = await pushIndex(store, name, [inner.digest], 'v1')
        expect(await collectAll(store)).toMatchObject({ manifests: 0, links: 0, blobs: 0 })
        await store.deleteManifest(name, outer.digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 1, links: 0, blobs: 1 })
        for (const { digest } of [child, inner]) expect(await manifestAt(store, name, digest)).not.toBeNull()
        expect(await blobAt(store, name, blob.sha256)).not.toBeNull()
      }),
    )

    test(
      'indexes that name each other, or themselves, hold nobody up',
      alone(async (store) => {
        const name = newName()
        const [one, two] = [manifestOf(name), manifestOf(name)]
        const naming = (...digests: Digest[]) => ({
          references: digests.map((digest) => ({ digest, kind: 'manifest' }) as const),
        })
        await store.putManifest({ ...one, ...naming(two.digest, one.digest) })
        await store.putManifest({ ...two, ...naming(one.digest) })
        expect(await collectAll(store)).toMatchObject({ manifests: 0 })
        for (const { digest } of [one, two]) await store.deleteManifest(name, digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 2, blobs: 2 })
      }),
    )

    test(
      'a child that comes after its index stays',
      alone(async (store) => {
        const name = newName()
        const child = manifestOf(name)
        const index = await pushIndex(store, name, [child.digest], 'v1')
        await collectAll(store)
        await store.putManifest(child)
        await store.deleteManifest(name, index.digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 1 })
        expect(await manifestAt(store, name, child.digest)).not.toBeNull()
      }),
    )
  })
}

function referrerTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: referrers', () => {
    test(
      'go with their subject when its grace is over, and those of referrers, too',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const subject = await pushManifest(store, name, { tags: tags('v1') })
        const signature = await pushManifest(store, name, { subject: subject.digest, blobs: [blob.sha256] })
        const proof = await pushManifest(store, name, { subject: signature.digest })
        await store.deleteManifest(name, subject.digest, 'user:ada')
        await collectAll(store, { grace: longGrace })
        // As long as the subject can be restored, what belongs to it is there.
        for (const { digest } of [signature, proof])
          expect(await manifestAt(store, name, digest)).not.toBeNull()
        expect(await collectAll(store)).toMatchObject({ manifests: 3, links: 1, blobs: 4 })
        for (const { digest } of [signature, proof]) expect(await manifestAt(store, name, digest)).toBeNull()
        expect(await blobAt(store, name, blob.sha256)).toBeNull()
      }),
    )

    test(
      'stay while the subject was never there, is there, or is there again',
      alone(async (store) => {
        const name = newName()
        const subject = await pushManifest(store, name)
        const kept = [
          await pushManifest(store, name, { subject: unknownDigest() }),
          await pushManifest(store, name, { subject: subject.digest }),
        ]
        await store.deleteManifest(name, subject.digest, 'user:ada')
        await store.putManifest(subject)
        expect(await collectAll(store)).toMatchObject({ manifests: 0 })
        for (const { digest } of kept) expect(await manifestAt(store, name, digest)).not.toBeNull()
      }),
    )

    test(
      'stay when a tag or an index needs them, or they came after the subject was deleted',
      alone(async (store) => {
        const name = newName()
        const subject = await pushManifest(store, name)
        const wish = { subject: subject.digest }
        const tagged = await pushManifest(store, name, { ...wish, tags: tags('sbom') })
        const child = await pushManifest(store, name, wish)
        await pushIndex(store, name, [child.digest], 'attachments')
        const gone = await pushManifest(store, name, wish)
        await store.deleteManifest(name, subject.digest, 'user:ada')
        const late = await pushLater(store, name, manifestOf(name, wish))
        await collectAll(store)
        for (const { digest } of [tagged, child, late])
          expect(await manifestAt(store, name, digest)).not.toBeNull()
        expect(await manifestAt(store, name, gone.digest)).toBeNull()
      }),
    )

    test(
      'of other repositories stay',
      alone(async (store) => {
        const [name, other] = [newName(), newName()]
        const subject = await pushManifest(store, name)
        await store.putManifest({ ...subject, repository: other })
        const signature = await pushManifest(store, other, { subject: subject.digest })
        await store.deleteManifest(name, subject.digest, 'user:ada')
        await collectAll(store)
        expect(await manifestAt(store, other, signature.digest)).not.toBeNull()
      }),
    )

    test(
      'any number of them goes, in steps',
      alone(async (store) => {
        const name = newName()
        const subject = await pushManifest(store, name)
        for (let n = 0; n < 10; n++) await pushManifest(store, name, { subject: subject.digest })
        await store.deleteManifest(name, subject.digest, 'user:ada')
        expect(await collectAll(store, { limit: 3 })).toMatchObject({ manifests: 11, blobs: 11 })
      }),
    )
  })
}

/** Pushes a manifest by its digest, in a later millisecond of the database than whatever was before. */
async function pushLater(store: MetadataStore, name: RepositoryName, manifest: PutManifest) {
  const before = await store.databaseTime()
  while ((await store.databaseTime()) <= before);
  await store.putManifest({ ...manifest, repository: name, tags: [] })
  return manifest
}

function fallbackTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection: tags that name a digest', () => {
    test(
      'go with their subject, and what they name',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const subject = await pushManifest(store, name, { tags: tags('v1') })
        const other = await pushManifest(store, name, { tags: tags('v2') })
        const listed = await pushManifest(store, name, { subject: subject.digest })
        const named = [
          await pushManifest(store, name, { tags: [tagOf(subject.digest, '.sig')], blobs: [blob.sha256] }),
          await pushManifest(store, name, { tags: [tagOf(subject.digest, '.att')] }),
          await pushIndex(store, name, [listed.digest], tagOf(subject.digest)),
          listed,
        ]
        const kept = tags(tagOf(other.digest, '.sig'), `${tagOf(subject.digest)}-x`, 'v3')
        for (const tag of kept) await pushManifest(store, name, { tags: [tag] })
        await store.deleteManifest(name, subject.digest, 'user:ada')
        await collectAll(store, { grace: longGrace })
        for (const { digest } of named) expect(await manifestAt(store, name, digest)).not.toBeNull()
        expect(await collectAll(store)).toMatchObject({ manifests: 5, links: 1, blobs: 6 })
        expect(await tagsOf(store, name)).toStrictEqual([...kept, 'v2'].sort())
        for (const { digest } of named) expect(await manifestAt(store, name, digest)).toBeNull()
      }),
    )

    test(
      'go alone when something else needs what they name',
      alone(async (store) => {
        const name = newName()
        const subject = await pushManifest(store, name)
        const tagged = await pushManifest(store, name, {
          tags: [...tags('keep'), tagOf(subject.digest, '.sig')],
        })
        const child = await pushManifest(store, name, { tags: [tagOf(subject.digest, '.att')] })
        await pushIndex(store, name, [child.digest], 'index')
        await store.deleteManifest(name, subject.digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 1 })
        expect(await tagsOf(store, name)).toStrictEqual(['index', 'keep'])
        for (const { digest } of [tagged, child]) expect(await manifestAt(store, name, digest)).not.toBeNull()
      }),
    )
  })
}

/** What somebody asked for after the deletion, in the same millisecond or not. */
function wantedTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  /** A subject that is deleted, with a referrer, a companion, and the tag that makes it one. */
  async function pushAttached(store: MetadataStore) {
    const name = newName()
    const subject = await pushManifest(store, name)
    const referrer = await pushManifest(store, name, { subject: subject.digest })
    const tag = tagOf(subject.digest, '.sig')
    const companion = await pushManifest(store, name, { tags: [tag] })
    await store.deleteManifest(name, subject.digest, 'user:ada')
    return { name, subject, referrer, companion, tag }
  }

  describe('collection: what belongs to a deleted manifest and was asked for after that', () => {
    test(
      'stays when it was pushed again, as it was',
      alone(async (store) => {
        const { name, referrer, companion, tag } = await pushAttached(store)
        for (const manifest of [referrer, companion]) await store.putManifest(manifest)
        expect(await collectAll(store)).toMatchObject({ manifests: 1 })
        expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
        expect((await manifestAt(store, name, tag))?.digest).toBe(companion.digest)
        // That is no change of the tag.
        const history = await store.listTagHistory(name, tag, { after: null, limit: 10 })
        expect(history?.page.items).toHaveLength(1)
      }),
    )

    test(
      'stays when it was pushed by its digest; the tag goes, which nobody set again',
      alone(async (store) => {
        const { name, companion } = await pushAttached(store)
        await store.putManifest({ ...companion, tags: [] })
        expect(await collectAll(store)).toMatchObject({ manifests: 2 })
        expect(await manifestAt(store, name, companion.digest)).not.toBeNull()
        expect(await tagsOf(store, name)).toStrictEqual([])
      }),
    )

    test(
      'stays when it was restored',
      alone(async (store) => {
        const { name, referrer, companion, tag } = await pushAttached(store)
        for (const { digest } of [referrer, companion]) {
          await store.deleteManifest(name, digest, 'user:ada')
          await store.restoreManifest({
            repository: name,
            digest,
            tag: null,
            principal: 'user:ada',
            rules: diskAlone,
          })
        }
        expect(await collectAll(store)).toMatchObject({ manifests: 1 })
        expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
        expect((await manifestAt(store, name, tag))?.digest).toBe(companion.digest)
      }),
    )

    test(
      'goes when its subject was pushed once more, and deleted after all',
      alone(async (store) => {
        const { name, subject, referrer } = await pushAttached(store)
        await store.putManifest(referrer)
        await pushLater(store, name, subject)
        await store.deleteManifest(name, subject.digest, 'user:ada')
        expect(await collectAll(store)).toMatchObject({ manifests: 3 })
        expect(await manifestAt(store, name, referrer.digest)).toBeNull()
      }),
    )
  })
}
