import { describe, expect, test } from 'vitest'
import {
  newStorageKey,
  newUploadId,
  type ClaimedLocation,
  type MetadataStore,
  type StorageKey,
  type Visibility,
} from '@openregistry/core'
import type { RepositoryName, Tag } from '@openregistry/oci'
import {
  backend,
  blobAt,
  diskAlone,
  hour,
  manifestAt,
  openSession,
  partAt,
  pendingKeys,
  pushBlob,
  pushManifest,
  type Pushed,
} from './actions.ts'
import { hashedContent, newName } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

const [v1, v2] = ['v1', 'v2'] as Tag[] as [Tag, Tag]
const visibility: Visibility = 'private'

/** Far enough ahead that everything is due. */
async function soon(store: MetadataStore): Promise<number> {
  return (await store.databaseTime()) + hour
}

async function claimAll(
  store: MetadataStore,
  over: Partial<Parameters<MetadataStore['claimLocations']>[0]> = {},
): Promise<{ claim: string; locations: ClaimedLocation[] }> {
  const claim: string = newUploadId()
  const locations = await store.claimLocations({
    claim,
    lease: hour,
    limit: 100,
    verifiedBefore: await soon(store),
    blobs: null,
    ...over,
  })
  return { claim, locations }
}

function keyOf({ stored }: Pushed): StorageKey {
  if (stored.kind !== 'object') throw new Error('not an object')
  return stored.key
}

function damageOf(blob: Pushed, state: 'damaged' | 'missing' = 'damaged') {
  return { state, at: { kind: 'object', backend, key: keyOf(blob) } } as const
}

/** Reading stored content again: claims, verdicts, what backends hold besides. */
export function scrubTests(open: OpenMetadataStore): void {
  /** These look at what is global, so each has a store of its own. */
  const alone = (body: (store: MetadataStore, name: RepositoryName) => Promise<void>) => async () => {
    const { store, close } = await open()
    try {
      await body(store, newName())
    } finally {
      await close()
    }
  }

  describe('claimLocations', () => {
    test(
      'gives what was verified longest ago, with what it must hold, to one at a time',
      alone(async (store, name) => {
        const [first, second] = [await pushBlob(store, name), await pushBlob(store, name)]
        const manifest = await pushManifest(store, name)
        const one = await claimAll(store, { limit: 1 })
        expect(one.locations).toMatchObject([
          {
            sha256: first.sha256,
            sha512: null,
            size: first.size,
            cid: first.cid,
            state: 'good',
            place: { kind: 'object', backend, key: keyOf(first) },
          },
        ])
        const rest = await claimAll(store)
        expect(rest.locations.map(({ sha256 }) => sha256).sort()).toStrictEqual(
          [second.sha256, manifest.sha256].sort(),
        )
        expect(rest.locations.some(({ place }) => place.kind === 'inline')).toBe(true)
        expect((await claimAll(store)).locations).toStrictEqual([])
        expect(await store.hasClaims(await soon(store))).toBe(true)
      }),
    )

    test(
      'gives nothing that was verified since, and only what was asked for',
      alone(async (store, name) => {
        const before = await store.databaseTime()
        const [one] = [await pushBlob(store, name), await pushBlob(store, name)]
        expect((await claimAll(store, { verifiedBefore: before })).locations).toStrictEqual([])
        const { locations } = await claimAll(store, { limit: 1 })
        const blobs = locations.map(({ blobId }) => blobId)
        expect((await claimAll(store, { blobs })).locations).toStrictEqual([])
        await store.releaseLocations({ ids: locations.map(({ id }) => id), claim: 'somebody' })
        expect((await claimAll(store, { blobs: [] })).locations).toStrictEqual([])
        expect(locations[0]?.sha256).toBe(one.sha256)
      }),
    )

    test(
      'gives a location again when its claim is over or given back',
      alone(async (store, name) => {
        await pushBlob(store, name)
        const over = await claimAll(store, { lease: 0 })
        expect(over.locations).toHaveLength(1)
        const ids = over.locations.map(({ id }) => id)
        await store.renewLocationClaims({ ids, claim: 'somebody else', lease: hour })
        const again = await claimAll(store)
        expect(again.locations).toHaveLength(1)
        // The first claim has lost its say.
        await store.recordVerified({ ids, claim: over.claim })
        await store.releaseLocations({ ids, claim: over.claim })
        expect((await claimAll(store)).locations).toStrictEqual([])
        await store.releaseLocations({ ids, claim: again.claim })
        expect(await store.hasClaims(await soon(store))).toBe(false)
        expect((await claimAll(store)).locations).toHaveLength(1)
      }),
    )

    test(
      'never gives one location to two who ask at once',
      alone(async (store, name) => {
        for (let n = 0; n < 10; n++) await pushBlob(store, name)
        const claims = await Promise.all(Array.from({ length: 8 }, () => claimAll(store, { limit: 3 })))
        const ids = claims.flatMap(({ locations }) => locations.map(({ id }) => id))
        expect(new Set(ids).size).toBe(ids.length)
        ids.push(...(await claimAll(store)).locations.map(({ id }) => id))
        expect(new Set(ids).size).toBe(10)
      }),
    )

    test(
      'a renewed claim holds',
      alone(async (store, name) => {
        await pushBlob(store, name)
        const { claim, locations } = await claimAll(store, { lease: 0 })
        await store.renewLocationClaims({ ids: locations.map(({ id }) => id), claim, lease: hour })
        expect((await claimAll(store)).locations).toStrictEqual([])
      }),
    )
  })

  describe('verdicts', () => {
    test(
      'good: the location goes to the end of the order, and is good again if it was not',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        await store.recordDamage(damageOf(blob))
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: null })
        const { claim, locations } = await claimAll(store)
        expect(locations).toMatchObject([{ state: 'damaged' }])
        const before = await store.databaseTime()
        await store.recordVerified({ ids: locations.map(({ id }) => id), claim })
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: { kind: 'object' } })
        expect((await claimAll(store, { verifiedBefore: before })).locations).toStrictEqual([])
      }),
    )

    test.each(['damaged', 'missing'] as const)('%s: nothing reads, mounts or needs it', (state) =>
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        expect(await store.findStoredObject(blob.sha256, backend)).toBe(keyOf(blob))
        expect(await store.findStoredObject(blob.sha256, 'other')).toBeNull()
        const content = await store.recordDamage(damageOf(blob, state))
        expect(await store.findStoredObject(blob.sha256, backend)).toBeNull()
        expect(content).toMatchObject({ sha256: blob.sha256, size: blob.size })
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: null })
        const namespace = name.slice(0, name.indexOf('/'))
        expect(await store.findMountSource(namespace, blob.sha256)).toBeNull()
        const source = (await store.findRepository(name))!.id
        const mount = { source, target: newName(), digest: blob.sha256, lease: hour }
        expect(await store.mountBlob({ ...mount, defaultVisibility: visibility, rules: diskAlone })).toBe(
          false,
        )
        await expect(pushManifest(store, name, { blobs: [blob.sha256] })).rejects.toMatchObject({
          code: 'MANIFEST_BLOB_UNKNOWN',
        })
        expect((await store.listDamage({ after: null, limit: 10 })).items).toMatchObject([
          {
            ...{ state, sha256: blob.sha256, size: blob.size, cid: blob.cid, served: false },
            place: { key: keyOf(blob) },
          },
        ])
      })(),
    )

    test(
      'a push of the same content heals it, and the old object is given away',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        await store.recordDamage(damageOf(blob))
        const fresh = await pushBlob(store, name, blob)
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({
          location: { kind: 'object', key: keyOf(fresh) },
        })
        expect(await pendingKeys(store)).toStrictEqual([keyOf(blob)])
        // Whoever read the old object has nothing to say about the new one.
        expect(await store.recordDamage(damageOf(blob))).toBeNull()
        expect((await store.listDamage({ after: null, limit: 10 })).items).toStrictEqual([])
      }),
    )

    test(
      'inline bytes: hidden until the manifest is pushed again, which also ends claims on the old bytes',
      alone(async (store, name) => {
        const manifest = await pushManifest(store, name, { tags: [v1] })
        const { claim, locations } = await claimAll(store)
        const at = { kind: 'inline', location: locations[0]!.id } as const
        expect(await store.recordDamage({ state: 'damaged', at: { ...at, claim: 'another' } })).toBeNull()
        expect(await manifestAt(store, name, 'v1')).not.toBeNull()
        expect(await store.recordDamage({ state: 'damaged', at: { ...at, claim } })).not.toBeNull()
        expect(await manifestAt(store, name, 'v1')).toBeNull()
        expect(await manifestAt(store, name, manifest.digest)).toBeNull()
        const late = await claimAll(store)
        await store.putManifest(manifest)
        expect(await store.recordDamage({ state: 'damaged', at: { ...at, claim: late.claim } })).toBeNull()
        expect((await manifestAt(store, name, 'v1'))?.bytes).toStrictEqual(manifest.bytes)
      }),
    )

    test(
      'inline bytes can be mended, and only while they are damaged',
      alone(async (store, name) => {
        const manifest = await pushManifest(store, name, { tags: [v1] })
        const { claim, locations } = await claimAll(store)
        const location = locations[0]!.id
        const mend = (bytes: Uint8Array) => store.mendInline({ location, bytes })
        expect(await mend(new Uint8Array(1))).toBe(false)
        await store.recordDamage({ state: 'damaged', at: { kind: 'inline', location, claim } })
        expect(await mend(manifest.bytes)).toBe(true)
        expect((await manifestAt(store, name, 'v1'))?.bytes).toStrictEqual(manifest.bytes)
        const blob = await pushBlob(store, name)
        await store.recordDamage(damageOf(blob))
        const [object] = (await store.listDamage({ after: null, limit: 10 })).items
        expect(await store.mendInline({ location: object!.id, bytes: blob.bytes })).toBe(false)
      }),
    )

    test(
      'another good place of the same content is served',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        await pushBlob(store, name, blob, { stored: { kind: 'inline', bytes: blob.bytes } })
        await store.recordDamage(damageOf(blob, 'missing'))
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: { kind: 'inline' } })
        expect((await store.listDamage({ after: null, limit: 10 })).items).toMatchObject([{ served: true }])
      }),
    )

    test(
      'a row that disagrees with its bytes is corrected',
      alone(async (store, name) => {
        const wrong = { cid: hashedContent('other').cid, leaves: new Uint8Array(32), sha512: null }
        const content = hashedContent(new Uint8Array(2 * 1024 * 1024 + 1).fill(7))
        const blob = await pushBlob(store, name, content, { ...wrong, size: 3, nodes: [] })
        const { claim, locations } = await claimAll(store)
        const { id, blobId } = locations[0]!
        const { size, sha512, cid, leaves, nodes } = content
        await store.mendContent({ location: id, blobId, claim, size, sha512, cid, leaves, nodes })
        expect(await blobAt(store, name, blob.sha256)).toMatchObject({ size, cid })
        expect(await store.readLocation(id)).toStrictEqual({ leaves, bytes: null })
        expect((await claimAll(store)).locations).toMatchObject([{ size, sha512, cid }])
      }),
    )

    test(
      'the hashes of some leaves, of good objects alone',
      alone(async (store, name) => {
        const content = hashedContent(new Uint8Array(5 * 1024 * 1024 + 1).fill(7))
        const blob = await pushBlob(store, name, content)
        const key = keyOf(blob)
        const leaves = (first: number, count: number) => store.readLeaves({ backend, key, first, count })
        expect(await leaves(0, 100)).toStrictEqual(content.leaves)
        expect(await leaves(1, 3)).toStrictEqual(content.leaves.slice(32, 4 * 32))
        expect(await leaves(5, 3)).toStrictEqual(content.leaves.slice(5 * 32))
        expect(await leaves(6, 1)).toStrictEqual(new Uint8Array(0))
        expect(await store.readLeaves({ backend: 'other', key, first: 0, count: 1 })).toBeNull()
        await store.recordDamage(damageOf(blob))
        expect(await leaves(0, 1)).toBeNull()
      }),
    )

    test(
      'what is gone has no content to compare with',
      alone(async (store) => {
        expect(await store.readLocation(987_654_321)).toBeNull()
        await store.recordVerified({ ids: [], claim: 'x' })
        await store.mendContent({
          ...hashedContent(),
          location: 987_654_321,
          blobId: 987_654_321,
          claim: 'x',
        })
      }),
    )
  })

  describe('passes', () => {
    test(
      'one that was stopped goes on; one that is over does not',
      alone(async (store) => {
        const first = await store.beginScrubPass({ anew: false, within: hour })
        expect(first.resumed).toBe(false)
        expect(await store.beginScrubPass({ anew: false, within: hour })).toStrictEqual({
          startedAt: first.startedAt,
          resumed: true,
        })
        expect((await store.beginScrubPass({ anew: true, within: hour })).resumed).toBe(false)
        const { startedAt } = await store.beginScrubPass({ anew: false, within: hour })
        await store.endScrubPass(startedAt)
        expect((await store.beginScrubPass({ anew: false, within: hour })).resumed).toBe(false)
        // Negative: it would have to have begun in the future.
        expect((await store.beginScrubPass({ anew: false, within: -hour })).resumed).toBe(false)
      }),
    )

    test(
      'totals count what is due',
      alone(async (store, name) => {
        const now = await store.databaseTime()
        expect(await store.scrubTotals(await soon(store))).toStrictEqual({ objects: 0, bytes: 0 })
        const [one, two] = [await pushBlob(store, name), await pushManifest(store, name)]
        expect(await store.scrubTotals(await soon(store))).toStrictEqual({
          objects: 2,
          bytes: one.size + two.bytes.length,
        })
        expect(await store.scrubTotals(now)).toStrictEqual({ objects: 0, bytes: 0 })
      }),
    )
  })

  describe('who needs a blob', () => {
    test(
      'images, the indexes above them, their tags; and repositories without any',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        const image = await pushManifest(store, name, { blobs: [blob.sha256], tags: [v1, v2] })
        const index = await pushManifest(store, name, {
          references: [{ digest: image.digest, kind: 'manifest' }],
        })
        await pushManifest(store, name, { tags: ['other' as Tag] })
        const elsewhere = newName()
        await pushBlob(store, elsewhere, blob)
        const { locations } = await claimAll(store)
        const { blobId } = locations.find(({ sha256 }) => sha256 === blob.sha256)!
        const uses = await store.listBlobUses(blobId, 10)
        expect(new Set(uses.map(({ repository }) => repository))).toEqual(new Set([name, elsewhere]))
        const images = uses.find(({ repository }) => repository === name)!.images
        expect(new Set(images)).toEqual(
          new Set([
            { digest: image.digest, tags: [v1, v2] },
            { digest: index.digest, tags: [] },
          ]),
        )
        expect(uses.find(({ repository }) => repository === elsewhere)!.images).toStrictEqual([])
        const own = locations.find(({ sha256 }) => sha256 === image.sha256)!
        expect((await store.listBlobUses(own.blobId, 10))[0]?.images).toHaveLength(2)
        expect(await store.listBlobUses(987_654_321, 10)).toStrictEqual([])
      }),
    )

    test(
      'ends where indexes name each other, and at the limit',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        const image = await pushManifest(store, name, { blobs: [blob.sha256] })
        const references = [{ digest: image.digest, kind: 'manifest' as const }]
        const index = await pushManifest(store, name, { references })
        await store.putManifest({
          ...image,
          mediaType: 'application/x',
          references: [
            { digest: blob.sha256, kind: 'blob' },
            { digest: index.digest, kind: 'manifest' },
          ],
        })
        for (let n = 0; n < 3; n++) await pushBlob(store, newName(), blob)
        const { locations } = await claimAll(store)
        const { blobId } = locations.find(({ sha256 }) => sha256 === blob.sha256)!
        expect((await store.listBlobUses(blobId, 10)).flatMap(({ images }) => images)).toHaveLength(2)
        expect(await store.listBlobUses(blobId, 2)).toHaveLength(2)
      }),
    )

    test(
      'content of a repository, page by page',
      alone(async (store, name) => {
        expect(await store.listRepositoryContent(name, 'blobs', { after: null, limit: 2 })).toBeNull()
        const blobs = [await pushBlob(store, name), await pushBlob(store, name), await pushBlob(store, name)]
        const sorted = blobs.map(({ sha256 }) => sha256).sort()
        const first = (await store.listRepositoryContent(name, 'blobs', { after: null, limit: 2 }))!
        expect(first.items.map(({ digest }) => digest)).toStrictEqual(sorted.slice(0, 2))
        expect(first.more).toBe(true)
        const rest = await store.listRepositoryContent(name, 'blobs', { after: sorted[1]!, limit: 2 })
        expect(rest?.items.map(({ digest }) => digest)).toStrictEqual(sorted.slice(2))
        const none = { items: [], more: false }
        expect(await store.listRepositoryContent(name, 'manifests', { after: null, limit: 2 })).toEqual(none)
        const manifest = await pushManifest(store, name)
        expect(await store.listRepositoryContent(name, 'manifests', { after: null, limit: 2 })).toMatchObject(
          {
            items: [{ digest: manifest.digest }],
          },
        )
      }),
    )
  })

  describe('what a backend holds', () => {
    const surplusOf = (store: MetadataStore, keys: StorageKey[], age = 0) =>
      store.noteSurplus({ backend, keys, age })
    const remove = (
      store: MetadataStore,
      key: StorageKey,
      over: { age?: number; confirmed?: boolean } = {},
    ) => store.deleteSurplus({ backend, prefix: key.slice(0, 2), age: 0, confirmed: true, ...over })

    test(
      'an object that a location, a session, a tombstone or a pending delete names is not surplus',
      alone(async (store, name) => {
        const blob = await pushBlob(store, name)
        const [open1, cancelled] = [await openSession(store, name), await openSession(store, name)]
        const part = partAt(open1.id, 0, hashedContent('abc'))
        await store.addPart({ upload: open1.id, part, lifetime: hour })
        await store.cancelUpload(name, cancelled.id)
        const swept = await openSession(store, name, { lifetime: 0 })
        const pending = newStorageKey(swept.id)
        await store.expireUploads(10)
        await store.sweepUpload(swept.id, [pending])
        const named = [
          keyOf(blob),
          newStorageKey(blob.upload),
          newStorageKey(open1.id),
          newStorageKey(cancelled.id),
          pending,
        ]
        expect(await surplusOf(store, named)).toStrictEqual([])
        const stray = newStorageKey(swept.id)
        expect(await surplusOf(store, [stray, ...named])).toStrictEqual([{ key: stray, due: true }])
      }),
    )

    test(
      'the same key in another backend is another object',
      alone(async (store, name) => {
        const key = keyOf(await pushBlob(store, name))
        const upload = newUploadId()
        expect(await store.noteSurplus({ backend: 'other', keys: [key], age: 0 })).toStrictEqual([])
        expect(
          await store.noteSurplus({ backend: 'other', keys: [newStorageKey(upload)], age: 0 }),
        ).toHaveLength(1)
      }),
    )

    test(
      'surplus objects are deleted when they were found long enough ago, once',
      alone(async (store) => {
        const key = newStorageKey(newUploadId())
        expect(await surplusOf(store, [key], hour)).toStrictEqual([{ key, due: false }])
        expect(await remove(store, key, { age: hour })).toStrictEqual({ deleted: 0, withheld: 0 })
        expect(await pendingKeys(store)).toStrictEqual([])
        expect(await remove(store, key)).toStrictEqual({ deleted: 1, withheld: 0 })
        expect(await remove(store, key)).toStrictEqual({ deleted: 0, withheld: 0 })
        expect(await pendingKeys(store)).toStrictEqual([key])
        expect(await surplusOf(store, [key])).toStrictEqual([])
      }),
    )

    test(
      'many of them are kept until somebody says that they may go',
      alone(async (store, name) => {
        const keys = Array.from({ length: 3 }, () => newStorageKey(newUploadId()))
        await surplusOf(store, keys)
        for (let n = 0; n < 29; n++) await pushBlob(store, name)
        for (const key of keys) {
          expect(await remove(store, key, { confirmed: false })).toMatchObject({ deleted: 0 })
        }
        await pushBlob(store, name)
        for (const key of keys) await remove(store, key, { confirmed: false })
        expect((await pendingKeys(store)).sort()).toStrictEqual(keys.sort())
      }),
    )

    test(
      'a surplus object that the list does not have any more is forgotten',
      alone(async (store) => {
        const key = newStorageKey(newUploadId())
        const prefix = key.slice(0, 2)
        const claim = 'c'
        await surplusOf(store, [key])
        await store.endListing({ backend, prefix, claim, now: await soon(store) })
        expect(await remove(store, key)).toStrictEqual({ deleted: 0, withheld: 0 })
      }),
    )

    test(
      'a list is claimed part by part, each part by one, until all were looked at',
      alone(async (store) => {
        const listedBefore = await soon(store)
        const seen: string[] = []
        for (;;) {
          const claim: string = newUploadId()
          const part = await store.claimListing({ backend, claim, lease: hour, listedBefore })
          if (part === null) break
          seen.push(part.prefix)
          if (seen.length % 2 === 0) continue
          await store.endListing({ backend, prefix: part.prefix, claim, now: part.now })
          if (seen.length > 600) break
        }
        // Those that were ended are due again, since nothing can be looked at in the future.
        expect(new Set(seen).size).toBe(256)
        expect(seen.slice(0, 3)).toStrictEqual(['00', '01', '02'])
        const before = await store.databaseTime()
        const other = { backend: 'other', claim: 'x', lease: 0, listedBefore: before }
        expect((await store.claimListing(other))?.prefix).toBe('00')
      }),
    )

    test(
      'keys of good locations, in order',
      alone(async (store, name) => {
        const blobs: Pushed[] = []
        for (let n = 0; n < 4; n++) blobs.push(await pushBlob(store, name))
        const keys = blobs.map(keyOf).sort()
        const page = await store.listKeys(backend, '', { after: null, limit: 3 })
        expect(page).toStrictEqual({ items: keys.slice(0, 3), more: true })
        expect(await store.listKeys(backend, '', { after: keys[2]!, limit: 3 })).toStrictEqual({
          items: keys.slice(3),
          more: false,
        })
        const prefix = keys[0]!.slice(0, 2)
        const within = await store.listKeys(backend, prefix, { after: null, limit: 9 })
        expect(within.items).toStrictEqual(keys.filter((key) => key.startsWith(prefix)))
        await store.recordDamage(damageOf(blobs.find((blob) => keyOf(blob) === keys[0])!))
        expect((await store.listKeys(backend, '', { after: null, limit: 9 })).items).toStrictEqual(
          keys.slice(1),
        )
        expect((await store.listKeys('other', '', { after: null, limit: 9 })).items).toStrictEqual([])
      }),
    )
  })
}
