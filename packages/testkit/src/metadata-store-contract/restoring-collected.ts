import { describe, expect, test } from 'vitest'
import { RegistryError, mediaTypes, type Tag } from '@openregistry/oci'
import { blobAt, diskAlone, manifestAt, pushBlob, pushManifest } from './actions.ts'
import { aloneIn, collectAll, longGrace } from './collecting.ts'
import { newName } from './content.ts'
import { wholeHistory } from './history.ts'
import type { OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const undo = { tag: null, principal: 'user:undo' } as const

/** Restoring, and a collector that runs all the time. */
export function restoringCollectedTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('restoreManifest and the collector', () => {
    test(
      'within the time of grace everything comes back, afterwards nothing does',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBlob(store, name)
        const { digest } = await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
        await store.deleteManifest(name, digest, 'user:ada')
        await collectAll(store, { grace: longGrace })
        const restored = await store.restoreManifest({ repository: name, digest, ...undo, rules: diskAlone })
        expect(restored).toMatchObject({ manifests: [digest], tags: ['v1'] })
        await collectAll(store)
        expect(await manifestAt(store, name, 'v1')).not.toBeNull()
        expect((await blobAt(store, name, blob.sha256))?.location).not.toBeNull()
        await store.deleteManifest(name, digest, 'user:ada')
        await collectAll(store)
        expect(
          await store.restoreManifest({ repository: name, digest, ...undo, rules: diskAlone }),
        ).toBeNull()
        const [newest] = await wholeHistory(store, name)
        expect(newest).toMatchObject({ from: digest, to: null, manifest: 'gone', deletedAt: null })
        expect(await store.findDeletedManifest(name, digest)).toBeNull()
      }),
    )

    test(
      'an index says which of its manifests are gone',
      alone(async (store) => {
        const name = newName()
        const [gone, kept] = [await pushManifest(store, name), await pushManifest(store, name)]
        const index = await pushManifest(store, name, {
          mediaType: mediaTypes.ociIndex,
          references: [gone, kept].map(({ digest }) => ({ digest, kind: 'manifest' })),
        })
        await store.deleteManifest(name, gone.digest, 'user:ada')
        await collectAll(store)
        for (const { digest } of [kept, index]) await store.deleteManifest(name, digest, 'user:ada')
        const restored = await store.restoreManifest({
          repository: name,
          digest: index.digest,
          ...undo,
          rules: diskAlone,
        })
        expect(restored).toStrictEqual({
          manifests: [index.digest, kept.digest],
          tags: [],
          missing: [gone.digest],
        })
      }),
    )

    test(
      'what was purged stays away',
      alone(async (store) => {
        const name = newName()
        const secret = await pushBlob(store, name)
        const { digest } = await pushManifest(store, name, { blobs: [secret.sha256], tags: tags('v1') })
        await store.deleteManifest(name, digest, 'user:ada')
        while ((await store.purgeContent(secret.sha256, 'operator', { limit: 10 })).more);
        const wish = { repository: name, digest, principal: 'user:undo' }
        for (const tag of [null, ...tags('v1')]) {
          const outcome = await store
            .restoreManifest({ ...wish, tag, rules: diskAlone })
            .catch((error: unknown) => error)
          // Nothing is left of it, or its content is named as missing: nobody reads it again.
          if (outcome !== null) expect(outcome).toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' })
        }
        expect(await manifestAt(store, name, 'v1')).toBeNull()
        expect(await blobAt(store, name, secret.sha256)).toBeNull()
      }),
    )

    test(
      'both at once: whatever was restored is whole, and stays',
      alone(async (store) => {
        const name = newName()
        const images = await Promise.all(
          Array.from({ length: 24 }, async () => {
            const blob = await pushBlob(store, name)
            return { blob, ...(await pushManifest(store, name, { blobs: [blob.sha256] })) }
          }),
        )
        await Promise.all(images.map(({ digest }) => store.deleteManifest(name, digest, 'user:ada')))
        const restores = images.map(async ({ digest }) => {
          try {
            return await store.restoreManifest({ repository: name, digest, ...undo, rules: diskAlone })
          } catch (error) {
            // Its links went first: it cannot come back, and says so.
            if (error instanceof RegistryError && error.code === 'MANIFEST_BLOB_UNKNOWN') return null
            throw error
          }
        })
        const collections = [1, 2, 3].map(() => collectAll(store, { limit: 3 }))
        const outcomes = await Promise.all(restores)
        await Promise.all(collections)
        await collectAll(store)
        for (const [at, { digest, blob }] of images.entries()) {
          const there = outcomes[at] !== null
          expect((await manifestAt(store, name, digest)) !== null).toBe(there)
          expect(((await blobAt(store, name, blob.sha256))?.location ?? null) !== null).toBe(there)
        }
      }),
    )
  })
}
