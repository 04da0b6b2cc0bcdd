import { describe, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Digest, Tag } from '@openregistry/oci'
import {
  blobAt,
  diskAlone,
  hour,
  manifestAt,
  pendingKeys,
  pushBlob,
  pushManifest,
  tagsOf,
} from './actions.ts'
import { aloneIn, collectAll, keyOf, longGrace, noLease } from './collecting.ts'
import { hashedContent, newName, unknownDigest } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]

/** Looking at what would go, and taking content away from everybody. */
export function purgeTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('previewCollection', () => {
    test(
      'says nothing of an empty store',
      alone(async (store) => {
        expect(await store.previewCollection(0, 10)).toStrictEqual({
          content: [],
          more: false,
          repositories: 0,
          manifests: 0,
          links: 0,
          blobs: 0,
          bytes: 0,
          following: 0,
          pendingDeletes: 0,
        })
      }),
    )

    test(
      'names what a collection then takes, and why',
      alone(async (store) => {
        const [live, dropped] = [newName('a'), newName('b')]
        const never = await pushBlob(store, live, hashedContent(new Uint8Array(1000)), noLease)
        const [shared, needed] = [await pushBlob(store, live), await pushBlob(store, live)]
        const deleted = await pushManifest(store, live, { blobs: [shared.sha256] })
        await pushManifest(store, live, { blobs: [needed.sha256], tags: tags('v1') })
        await store.deleteManifest(live, deleted.digest, 'user:ada')
        const source = (await store.findRepository(live))!.id
        for (const { sha256: digest } of [shared, needed])
          await store.mountBlob({
            rules: diskAlone,
            source,
            target: dropped,
            defaultVisibility: 'private',
            digest,
            lease: hour,
          })
        await store.deleteRepository(dropped, 'user:ada')
        const preview = await store.previewCollection(0, 10)
        const why = preview.content.map(({ repository, reason, manifests, links, bytes }) => [
          String(repository),
          reason,
          manifests,
          links,
          bytes,
        ])
        expect(why).toStrictEqual(
          [
            [live, 'never needed', 0, 1, 1000],
            [dropped, 'repository deleted', 0, 2, shared.size + needed.size],
            [live, 'manifest deleted', 1, 0, deleted.bytes.length],
            [live, 'no longer needed', 0, 1, shared.size],
          ].toSorted((a, b) => Number(b[4]) - Number(a[4])),
        )
        const { repositories, manifests, links, blobs, bytes } = preview
        const done = await collectAll(store)
        expect(done).toStrictEqual({ repositories, manifests, links, blobs, bytes })
        expect(bytes).toBe(never.size + shared.size + deleted.bytes.length)
        expect(await store.previewCollection(0, 10)).toMatchObject({ content: [], pendingDeletes: 2 })
      }),
    )

    test(
      'counts all when it lists few, and heeds the grace',
      alone(async (store) => {
        for (let n = 0; n < 3; n++) {
          const name = newName()
          const { digest } = await pushManifest(store, name)
          await store.deleteManifest(name, digest, 'user:ada')
        }
        expect(await store.previewCollection(longGrace, 10)).toMatchObject({ content: [], manifests: 0 })
        const preview = await store.previewCollection(0, 2)
        expect(preview).toMatchObject({ more: true, manifests: 3, blobs: 3 })
        expect(preview.content).toHaveLength(2)
      }),
    )
  })

  describe('previewCollection of what belongs to others', () => {
    test(
      'without a time of grace it goes with them, with what it alone needs; otherwise it is deleted, and goes later',
      alone(async (store) => {
        const name = newName()
        const [own, shared] = [await pushBlob(store, name), await pushBlob(store, name)]
        await store.renewLease((await store.findRepository(name))!.id, own.sha256, 0)
        await pushManifest(store, name, { blobs: [shared.sha256], tags: tags('v1') })
        const subject = await pushManifest(store, name)
        const signature = await pushManifest(store, name, {
          subject: subject.digest,
          blobs: [own.sha256, shared.sha256],
        })
        const proof = await pushManifest(store, name, { subject: signature.digest })
        // Both are listed by an index that has the tag of older clients, and one has a tag of its own.
        const index = await pushManifest(store, name, {
          references: [signature, proof].map(({ digest }) => ({ digest, kind: 'manifest' })),
          tags: tags(subject.digest.replace(':', '-')),
        })
        await pushManifest(store, name, { subject: subject.digest, tags: tags('kept') })
        await store.deleteManifest(name, subject.digest, 'user:ada')
        const size = [subject, signature, proof, index].reduce(
          (sum, { bytes }) => sum + bytes.length,
          own.size,
        )
        const { content, ...now } = await store.previewCollection(0, 10)
        expect(content.map(({ reason, manifests, links }) => ({ reason, manifests, links }))).toEqual(
          expect.arrayContaining([
            { reason: 'manifest deleted', manifests: 1, links: 0 },
            { reason: 'subject deleted', manifests: 3, links: 0 },
            { reason: 'no longer needed', manifests: 0, links: 1 },
          ]),
        )
        expect(now).toMatchObject({ manifests: 4, links: 1, blobs: 5, bytes: size, following: 0 })
        // Nobody has deleted what follows yet: its own time of grace begins with the collection.
        const past = (await store.databaseTime()) + 1
        while ((await store.databaseTime()) <= past);
        expect(await store.previewCollection(1, 10)).toMatchObject({
          content: [{ reason: 'manifest deleted', manifests: 1 }],
          manifests: 1,
          links: 0,
          blobs: 1,
          bytes: subject.bytes.length,
          // The proof goes with the signature, later.
          following: 2,
        })
        const { repositories, manifests, links, blobs, bytes } = now
        expect(await collectAll(store)).toStrictEqual({ repositories, manifests, links, blobs, bytes })
      }),
    )
  })

  describe('purgeContent', () => {
    test(
      'is nothing for unknown content',
      alone(async (store) => {
        expect(await store.findHolders(unknownDigest(), 10)).toBeNull()
        expect(await store.purgeContent(unknownDigest(), 'operator', { limit: 10 })).toMatchObject({
          blobs: 0,
          more: false,
        })
      }),
    )

    test(
      'takes a blob from everybody, with the manifests that need it',
      alone(async (store) => {
        const [one, two] = [newName('a'), newName('b')]
        const secret = await pushBlob(store, one)
        const other = await pushBlob(store, one)
        await pushBlob(store, two, hashedContent(secret.bytes), {
          digest: secret.sha512,
          sha512: secret.sha512,
        })
        const leaky = await pushManifest(store, one, {
          blobs: [secret.sha256, other.sha256],
          tags: tags('v1', 'v2'),
        })
        const [by512, clean] = [
          await pushManifest(store, two, { blobs: [secret.sha512], tags: tags('v1') }),
          await pushManifest(store, one, { blobs: [other.sha256], tags: tags('v3') }),
        ]
        expect(await store.findHolders(secret.sha256, 10)).toStrictEqual({
          size: secret.size,
          holders: [
            { repository: one, manifest: leaky.digest, tags: ['v1', 'v2'] },
            { repository: two, manifest: by512.digest, tags: ['v1'] },
          ],
          more: false,
        })
        await purge(store, secret.sha256)
        for (const [name, digest] of [
          [one, secret.sha256],
          [two, secret.sha512],
        ] as const)
          expect(await blobAt(store, name, digest)).toBeNull()
        expect(await tagsOf(store, one)).toStrictEqual(['v3'])
        expect(await tagsOf(store, two)).toStrictEqual([])
        expect(await manifestAt(store, one, clean.digest)).not.toBeNull()
        expect(await pendingKeys(store)).toContain(keyOf(secret))
        expect(await store.findHolders(secret.sha256, 10)).toBeNull()
        // What else they needed has its time of grace, as after any deletion.
        await collectAll(store, { grace: longGrace })
        expect(await blobAt(store, one, other.sha256)).not.toBeNull()
      }),
    )

    test(
      'takes a manifest for good, deleted or not, also from repositories that were deleted',
      alone(async (store) => {
        const names = [newName(), newName(), newName()] as const
        const blob = await pushBlob(store, names[0])
        const manifest = await pushManifest(store, names[0], { blobs: [blob.sha256], tags: tags('v1') })
        for (const name of names.slice(1))
          await store.putManifest({ ...manifest, repository: name, references: [] })
        await store.deleteManifest(names[1], manifest.digest, 'user:ada')
        await store.deleteRepository(names[2], 'user:ada')
        await purge(store, manifest.digest)
        const restore = { digest: manifest.digest, tag: null, principal: 'user:ada' }
        for (const repository of names.slice(0, 2)) {
          expect(await manifestAt(store, repository, manifest.digest)).toBeNull()
          expect(await store.restoreManifest({ repository, ...restore, rules: diskAlone })).toBeNull()
        }
        expect(await blobAt(store, names[0], blob.sha256)).not.toBeNull()
      }),
    )

    test(
      'names repositories that merely have the blob, and as many holders as it may',
      alone(async (store) => {
        const content = hashedContent()
        const names = [newName('a'), newName('b'), newName('c')]
        for (const name of names) await pushBlob(store, name, hashedContent(content.bytes))
        const plan = await store.findHolders(content.sha256, 2)
        expect(plan).toMatchObject({
          more: true,
          holders: [{ manifest: null, tags: [] }, { manifest: null }],
        })
        await purge(store, content.sha256, 1)
        expect((await pendingKeys(store)).length).toBe(3)
      }),
    )
  })
}

async function purge(store: MetadataStore, digest: Digest, limit = 100): Promise<void> {
  while ((await store.purgeContent(digest, 'operator', { limit })).more);
}
