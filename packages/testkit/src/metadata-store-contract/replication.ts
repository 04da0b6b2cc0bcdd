import { describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId, type MetadataStore, type PlacementRules } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { hour, pushBlob, refused, type Pushed } from './actions.ts'
import { aloneIn, collectAll, keyOf, noLease } from './collecting.ts'
import { hashedContent, newName } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'
import { placesOf, pushBy, repositoryOf } from './placement.ts'

/** Content lies on the disk; a vault, and a backend that everybody can read, are to have second copies. */
const rules: PlacementRules = {
  backends: ['disk', 'open', 'vault'],
  public: ['open'],
  namespaces: {},
  replicas: ['vault', 'open'],
}

const walk = { after: 0, limit: 100 }

/** Copies what is not in a backend yet, as far as it may lie there; one turn of the job. */
async function replicateTo(store: MetadataStore, backend: 'vault' | 'open'): Promise<number> {
  const { items } = await store.listUncopied({ backend, open: backend === 'open', ...walk })
  for (const { blobId, repository } of items) {
    const upload = newUploadId()
    const opening = { id: upload, repositoryId: repository.id, backend, lifetime: hour, rules }
    expect(await store.openCopy(opening)).toBe(true)
    const copy = { upload, blobId, key: newStorageKey(upload), digest: null, rules }
    expect(await store.commitCopy(copy)).toBe(true)
  }
  return items.length
}

/** Copies that go beside the objects that links rely on. */
export function replicationTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)
  const push = (store: MetadataStore, name: RepositoryName, blob = hashedContent()): Promise<Pushed> =>
    pushBy(store, rules, name, blob)

  describe('second copies', () => {
    test(
      'are to be made of what has none, where it may lie',
      alone(async (store) => {
        const [name, closed] = [await repositoryOf(store, 'public'), newName()]
        const [one, two] = [await push(store, name), await push(store, closed)]
        const small = hashedContent()
        await pushBlob(store, name, small, { stored: { kind: 'inline', bytes: small.bytes }, rules })
        const found = await store.listUncopied({ backend: 'vault', open: false, ...walk })
        expect(found.items.map(({ sha256 }) => sha256)).toStrictEqual([one.sha256, two.sha256])
        expect(found.items[1]).toMatchObject({
          size: two.size,
          cid: two.cid,
          repository: { id: (await store.findRepository(closed))!.id, name: closed },
        })
        const inOpen = await store.listUncopied({ backend: 'open', open: true, ...walk })
        expect(inOpen.items.map(({ sha256 }) => sha256)).toStrictEqual([one.sha256])
        expect(await replicateTo(store, 'vault')).toBe(2)
        expect(await replicateTo(store, 'vault')).toBe(0)
        expect(await placesOf(store, closed, two.sha256)).toStrictEqual(['disk', 'vault'])
      }),
    )

    test(
      'are listed in pages that say where they go on',
      alone(async (store) => {
        const name = newName()
        for (let count = 0; count < 5; count++) await push(store, name)
        let seen = 0
        let page = await store.listUncopied({ backend: 'vault', open: false, after: 0, limit: 2 })
        for (
          ;
          page.more;
          page = await store.listUncopied({ backend: 'vault', open: false, after: page.position, limit: 2 })
        ) {
          expect(page.items.at(-1)?.blobId).toBe(page.position)
          seen += page.items.length
        }
        expect(seen + page.items.length).toBe(5)
        const end = await store.listUncopied({
          backend: 'vault',
          open: false,
          after: page.position,
          limit: 2,
        })
        expect(end).toStrictEqual({ items: [], position: page.position, more: false })
      }),
    )

    test(
      'are made again where one is damaged, and not of what has no good bytes',
      alone(async (store) => {
        const name = newName()
        const [one, lost] = [await push(store, name), await push(store, name)]
        await replicateTo(store, 'vault')
        const { blobId } = (await store.listUncopied({ backend: 'nowhere', open: false, ...walk })).items[0]!
        const [, copy] = await store.listObjects(blobId)
        await store.recordDamage({ state: 'missing', at: { kind: 'object', ...copy! } })
        for (const { backend, key } of await store.listObjects(blobId + 1))
          await store.recordDamage({ state: 'damaged', at: { kind: 'object', backend, key } })
        expect(await placesOf(store, name, lost.sha256)).toStrictEqual([])
        expect(await replicateTo(store, 'vault')).toBe(1)
        expect(await placesOf(store, name, one.sha256)).toStrictEqual(['disk', 'vault'])
      }),
    )

    test(
      'stay as long as the blob, and go with it',
      alone(async (store) => {
        const [name, other] = [newName(), newName()]
        const blob = await pushBlob(store, name, hashedContent(), { ...noLease, rules })
        await push(store, other, blob)
        await replicateTo(store, 'vault')
        expect(await collectAll(store, { rules })).toMatchObject({ links: 1, blobs: 0, bytes: 0 })
        expect(await placesOf(store, other, blob.sha256)).toStrictEqual(['disk', 'vault'])
        await store.deleteRepository(other, 'user:ada')
        expect(await collectAll(store, { rules })).toMatchObject({ blobs: 1, bytes: 2 * blob.size })
      }),
    )

    test(
      'leave a public backend when nothing public is left that has the blob',
      alone(async (store) => {
        const [name, closed] = [await repositoryOf(store, 'public'), newName()]
        const blob = await push(store, name)
        await push(store, closed, blob)
        await replicateTo(store, 'open')
        expect(await placesOf(store, closed, blob.sha256)).toStrictEqual(['disk', 'open'])
        await store.deleteRepository(name, 'user:ada')
        await collectAll(store, { rules })
        expect(await placesOf(store, closed, blob.sha256)).toStrictEqual(['disk'])
        expect(keyOf(blob)).toBe((await store.listObjects(1))[0]?.key)
      }),
    )

    test(
      'keep a repository public until it was moved out of public backends',
      alone(async (store) => {
        const name = await repositoryOf(store, 'public')
        const blob = await push(store, name)
        await replicateTo(store, 'open')
        const error = await refused(store.setVisibility(name, 'private', rules), 'CONFLICT')
        expect(error.detail).toMatchObject({ backends: ['open'], blobs: 1 })
        await store.startMove({ repository: name, backend: 'disk', rate: 0, principal: 'operator', rules })
        const { id } = (await store.findRepository(name))!
        expect(await store.releaseCopies(id, rules)).toBe(1)
        expect(await replicateTo(store, 'open')).toBe(0)
        await store.collectBlobs({ limit: 10, rules })
        expect(await store.endMove({ repositoryId: id, left: 0, error: null, rules })).toBe(true)
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['disk'])
        expect(await store.setVisibility(name, 'private', rules)).toMatchObject({ visibility: 'private' })
        // Public again, it has copies there again.
        await store.setVisibility(name, 'public', rules)
        expect(await replicateTo(store, 'open')).toBe(1)
      }),
    )
  })

  describe('a pass over all blobs', () => {
    test(
      'goes on where it was, a little before that',
      alone(async (store) => {
        const backend = 'vault'
        const first = await store.beginReplication({ backend, interval: hour })
        expect(first.position).toBe(0)
        expect(await store.noteReplication({ ...first, backend, position: 5000 })).toBe(true)
        const second = await store.beginReplication({ backend, interval: hour })
        expect(second).toStrictEqual({ ...first, position: 4000 })
        expect(await store.noteReplication({ ...second, backend, position: 4100 })).toBe(true)
        expect((await store.beginReplication({ backend, interval: hour })).position).toBe(4000)
        expect((await store.beginReplication({ backend: 'open', interval: hour })).position).toBe(0)
      }),
    )

    test(
      'begins anew after a while, and when a repository becomes public',
      alone(async (store) => {
        const backend = 'vault'
        const name = newName()
        await push(store, name)
        const first = await store.beginReplication({ backend, interval: hour })
        await store.noteReplication({ ...first, backend, position: 5000 })
        await store.setVisibility(name, 'public', rules)
        expect(await store.noteReplication({ ...first, backend, position: 6000 })).toBe(false)
        const second = await store.beginReplication({ backend, interval: hour })
        expect(second.position).toBe(0)
        await store.noteReplication({ ...second, backend, position: 5000 })
        expect((await store.beginReplication({ backend, interval: -1000 })).position).toBe(0)
      }),
    )
  })
}
