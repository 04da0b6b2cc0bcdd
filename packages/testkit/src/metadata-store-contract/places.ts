import { describe, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import { mediaTypes, type Digest, type RepositoryName } from '@openregistry/oci'
import { pushBlob, pushManifest } from './actions.ts'
import { keyOf } from './collecting.ts'
import { hashedContent, newName, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { openFirst, pushBy, repositoryOf } from './placement.ts'

/** Waits until the database's clock is after this time, and says what it shows. */
async function later(store: MetadataStore, time: number): Promise<number> {
  for (;;) {
    const now = await store.databaseTime()
    if (now > time) return now
  }
}

/** Where what images are made of is. */
export function placesTests(open: OpenMetadataStore): void {
  describe('listImageContent', () => {
    const store = sharedStore(open)

    test('has what a manifest needs, and what its children need, each once', async () => {
      const name = newName()
      const blobs = [
        await pushBlob(store(), name),
        await pushBlob(store(), name),
        await pushBlob(store(), name),
      ]
      const [a, b, c] = blobs.map(({ sha256 }) => sha256) as [Digest, Digest, Digest]
      const foreign = { digest: unknownDigest(), kind: 'foreign' } as const
      const one = await pushManifest(store(), name, { blobs: [a, b], references: [foreign] })
      const two = await pushManifest(store(), name, { blobs: [b, c] })
      const children = [one.digest, two.digest, unknownDigest()]
      const index = await pushManifest(store(), name, {
        mediaType: mediaTypes.ociIndex,
        references: children.map((digest) => ({ digest, kind: 'manifest' })),
      })
      const { id } = (await store().findRepository(name))!
      const found = await store().listImageContent(id, [index.digest, one.digest, unknownDigest()])
      expect(found.map(({ blobs }) => blobs.toSorted())).toStrictEqual([
        [a, b, c].toSorted(),
        [a, b].toSorted(),
        [],
      ])
      expect(found[0]?.manifest).toBe(index.digest)
      await store().deleteManifest(name, two.digest, 'user:ada')
      const [left] = await store().listImageContent(id, [index.digest])
      expect(left?.blobs.toSorted()).toStrictEqual([a, b].toSorted())
    })

    test('ends where an index contains itself', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const content = hashedContent('an index of itself')
      const index = await pushManifest(store(), name, {
        ...content,
        digest: content.sha256,
        sha512: null,
        blobs: [blob.sha256],
        references: [{ digest: content.sha256, kind: 'manifest' }],
      })
      const { id } = (await store().findRepository(name))!
      expect(await store().listImageContent(id, [index.digest])).toStrictEqual([
        { manifest: index.digest, blobs: [blob.sha256] },
      ])
    })
  })

  describe('listPlaces', () => {
    const store = sharedStore(open)

    test('has the places that the repository has on its own account', async () => {
      const [name, other] = [await repositoryOf(store(), 'public'), newName()]
      const before = await store().databaseTime()
      const blob = await pushBy(store(), openFirst, name)
      await pushBy(store(), openFirst, other, blob)
      const inline = hashedContent()
      await pushBlob(store(), name, inline, { stored: { kind: 'inline', bytes: inline.bytes } })
      const elsewhere = await pushBlob(store(), other)
      const { id } = (await store().findRepository(name))!
      const digests = [blob.sha256, inline.sha256, elsewhere.sha256, unknownDigest()]
      const found = await store().listPlaces(id, digests, openFirst)
      const verifiedAt = expect.any(Number) as number
      expect(found.toSorted((a, b) => digests.indexOf(a.digest) - digests.indexOf(b.digest))).toStrictEqual([
        {
          digest: blob.sha256,
          size: blob.size,
          // The other one has it on a disk, and nobody is told.
          places: [{ backend: 'open', state: 'good', verifiedAt }],
        },
        {
          digest: inline.sha256,
          size: inline.size,
          places: [{ backend: 'inline', state: 'good', verifiedAt }],
        },
      ])
      for (const { places } of found)
        for (const place of places) expect(place.verifiedAt).toBeGreaterThanOrEqual(before)
      await store().deleteBlob(name, blob.sha256)
      expect(await store().listPlaces(id, [blob.sha256], openFirst)).toStrictEqual([])
    })

    test('has second copies, where the repository may have them', async () => {
      const [name, closed] = [await repositoryOf(store(), 'public'), newName()]
      const blob = await pushBy(store(), openFirst, name)
      await pushBy(store(), openFirst, closed, blob)
      const placesIn = async (repository: RepositoryName, replicas: string[]) => {
        const { id } = (await store().findRepository(repository))!
        const [found] = await store().listPlaces(id, [blob.sha256], { ...openFirst, replicas })
        return found?.places.map(({ backend }) => backend)
      }
      expect(await placesIn(name, ['disk'])).toStrictEqual(['disk', 'open'])
      expect(await placesIn(closed, ['open'])).toStrictEqual(['disk'])
      expect(await placesIn(closed, [])).toStrictEqual(['disk'])
    })

    test('has what is damaged, and then the places from which it is served', async () => {
      const [name, other] = [await repositoryOf(store(), 'public'), newName()]
      const blob = await pushBy(store(), openFirst, name)
      await pushBy(store(), openFirst, other, blob)
      const at = { kind: 'object', backend: 'open', key: keyOf(blob) } as const
      await store().recordDamage({ state: 'damaged', at })
      const { id } = (await store().findRepository(name))!
      const [found] = await store().listPlaces(id, [blob.sha256], openFirst)
      expect(found?.places).toMatchObject([
        { backend: 'disk', state: 'good' },
        { backend: 'open', state: 'damaged' },
      ])
    })

    test('does not tell that somebody else had the same before', async () => {
      const [first, second] = [newName(), newName()]
      const blob = await pushBy(store(), openFirst, first)
      const before = await later(store(), await store().databaseTime())
      await pushBy(store(), openFirst, second, blob)
      const { id } = (await store().findRepository(second))!
      const [found] = await store().listPlaces(id, [blob.sha256], openFirst)
      expect(found?.places[0]?.verifiedAt).toBeGreaterThanOrEqual(before)
    })
  })
}
