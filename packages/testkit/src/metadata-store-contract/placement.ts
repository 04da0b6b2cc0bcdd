import { describe, expect, test } from 'vitest'
import type { MetadataStore, PlacementRules, Visibility } from '@openregistry/core'
import { namespaceOf, type Digest, type RepositoryName } from '@openregistry/oci'
import {
  blobAt,
  commitOf,
  diskAlone,
  hour,
  manifestOf,
  openSession,
  pushBlob,
  pushManifest,
  refused,
  type Pushed,
} from './actions.ts'
import { aloneIn, collectAll, keyOf, noLease } from './collecting.ts'
import { hashedContent, newName, type HashedContent } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Two backends; what is public goes to the one that everybody can read. */
export const openFirst: PlacementRules = {
  backends: ['open', 'disk'],
  public: ['open'],
  namespaces: {},
  replicas: [],
}

/** A backend that everybody can read, and no other. */
export const openAlone: PlacementRules = { ...openFirst, backends: ['open'] }

/** The same backends, before the configuration said that one of them is public. */
const noneOpen: PlacementRules = { ...openFirst, public: [] }

/** Makes a repository of this visibility that holds nothing. */
export async function repositoryOf(
  store: MetadataStore,
  visibility: Visibility,
  name: RepositoryName = newName(),
): Promise<RepositoryName> {
  const { id } = await openSession(store, name, { defaultVisibility: visibility })
  await store.cancelUpload(name, id)
  return name
}

/** Pushes content by these rules. */
export function pushBy(
  store: MetadataStore,
  rules: PlacementRules,
  name: RepositoryName,
  content: HashedContent = hashedContent(),
): Promise<Pushed> {
  return pushBlob(store, name, content, { rules })
}

/** Names of the backends that a repository's blob can be read from, by name. */
export async function placesOf(
  store: MetadataStore,
  name: RepositoryName,
  digest: Digest,
): Promise<string[]> {
  const blob = await blobAt(store, name, digest)
  if (blob === null || blob.location === null) return []
  return [blob.location, ...blob.others]
    .map((place) => (place.kind === 'inline' ? 'inline' : place.backend))
    .toSorted()
}

/** Which backends content may lie in, and when it has to be moved. */
export function placementTests(open: OpenMetadataStore): void {
  sessionPlacementTests(open)
  mountPlacementTests(open)
  exposureTests(open)
  unneededTests(open)
}

function sessionPlacementTests(open: OpenMetadataStore): void {
  describe('placement of uploads', () => {
    const store = sharedStore(open)

    test.each([
      ['public', 'open'],
      ['private', 'disk'],
    ] as const)('what is %s goes to %s', async (defaultVisibility, backend) => {
      const session = await openSession(store(), newName(), { defaultVisibility, rules: openFirst })
      expect(session.backend).toBe(backend)
    })

    test('a namespace may have a backend of its own, as far as it is allowed', async () => {
      const [own, closed] = [newName(), newName()]
      const rules = {
        ...openFirst,
        backends: ['disk', 'open', 'vault'],
        namespaces: { [namespaceOf(own)]: 'vault', [namespaceOf(closed)]: 'open' },
      }
      expect((await openSession(store(), own, { rules })).backend).toBe('vault')
      expect((await openSession(store(), newName(namespaceOf(own)), { rules })).backend).toBe('vault')
      expect((await openSession(store(), closed, { rules })).backend).toBe('disk')
      expect((await openSession(store(), newName(), { rules })).backend).toBe('disk')
    })

    test('what is private is refused where every backend is public, and leaves no repository behind', async () => {
      const name = newName()
      const error = await refused(openSession(store(), name, { rules: openAlone }), 'DENIED')
      expect(error.message).toContain('dfs.ipfs.public: false')
      expect(await store().findRepository(name)).toBeNull()
    })

    test('by the visibility that the repository has, not by the default for new ones', async () => {
      const name = await repositoryOf(store(), 'private')
      const session = await openSession(store(), name, { defaultVisibility: 'public', rules: openFirst })
      expect(session.backend).toBe('disk')
    })

    test('a blob is not committed where it may not lie', async () => {
      const name = newName()
      const content = hashedContent()
      const { id, backend } = await openSession(store(), name, { rules: noneOpen })
      expect(backend).toBe('open')
      const error = await refused(store().commitBlob(commitOf(id, content, { rules: openFirst })), 'CONFLICT')
      expect(error.message).toContain(`openregistry move ${name} --to disk`)
      expect(await blobAt(store(), name, content.sha256)).toBeNull()
      await store().commitBlob(commitOf(id, content, { rules: noneOpen }))
      expect(await placesOf(store(), name, content.sha256)).toStrictEqual(['open'])
    })

    test('a manifest is not pushed to a repository whose blobs may not lie where they are', async () => {
      const name = newName()
      const blob = await pushBy(store(), noneOpen, name)
      const manifest = manifestOf(name, { blobs: [blob.sha256] })
      await refused(store().putManifest({ ...manifest, rules: openFirst }), 'CONFLICT')
      await store().putManifest({ ...manifest, rules: noneOpen })
      await store().deleteManifest(name, manifest.digest, 'user:ada')
      const restore = { repository: name, digest: manifest.digest, tag: null, principal: 'user:ada' }
      await refused(store().restoreManifest({ ...restore, rules: openFirst }), 'CONFLICT')
      expect(await store().restoreManifest({ ...restore, rules: noneOpen })).not.toBeNull()
      // What needs no blob lies in the database.
      await pushManifest(store(), name, { rules: openFirst })
    })

    test('is read where its repository relies on it, wherever others have it', async () => {
      const [shown, closed] = [await repositoryOf(store(), 'public'), newName()]
      const content = hashedContent()
      for (const name of [shown, closed]) await pushBy(store(), openFirst, name, content)
      const read = async (name: RepositoryName) => (await blobAt(store(), name, content.sha256))!
      expect(await read(shown)).toMatchObject({
        location: { backend: 'open' },
        others: [{ backend: 'disk' }],
      })
      expect(await read(closed)).toMatchObject({
        location: { backend: 'disk' },
        others: [{ backend: 'open' }],
      })
    })

    test('what is private in a backend that is called public later is found', async () => {
      const [name, shown] = [newName(), await repositoryOf(store(), 'public')]
      for (const each of [name, shown]) await pushBy(store(), noneOpen, each)
      const found = async (backends: string[], each: RepositoryName) => {
        const page = await store().listExposed(backends, {
          after: namespaceOf(each) as RepositoryName,
          limit: 1,
        })
        return page.items
      }
      expect(await found(['open', 'vault'], name)).toStrictEqual([{ name, backend: 'open' }])
      expect(await found(['vault'], name)).toStrictEqual([{ name, backend: null }])
      expect(await found(['open'], shown)).toStrictEqual([{ name: shown, backend: null }])
    })
  })
}

function mountPlacementTests(open: OpenMetadataStore): void {
  describe('placement of mounts', () => {
    const store = sharedStore(open)
    const mount = async (from: RepositoryName, target: RepositoryName, digest: Digest, rules = openFirst) =>
      store().mountBlob({
        source: (await store().findRepository(from))!.id,
        target,
        defaultVisibility: 'private',
        digest,
        lease: hour,
        rules,
      })

    test('what is only in a public backend is not mounted into a private repository', async () => {
      const [from, to] = [await repositoryOf(store(), 'public'), newName()]
      const blob = await pushBy(store(), openFirst, from)
      expect(await mount(from, to, blob.sha256)).toBe(false)
      expect(await blobAt(store(), to, blob.sha256)).toBeNull()
      expect(await mount(from, await repositoryOf(store(), 'public'), blob.sha256)).toBe(true)
      // Once it was pushed there, it is.
      await pushBy(store(), openFirst, newName(), hashedContent(blob.bytes))
      expect(await mount(from, to, blob.sha256)).toBe(true)
    })

    test('bytes in the database are everywhere', async () => {
      const [from, to] = [await repositoryOf(store(), 'public'), newName()]
      const content = hashedContent()
      const inline = { stored: { kind: 'inline', bytes: content.bytes }, rules: openFirst } as const
      await pushBlob(store(), from, content, inline)
      expect(await mount(from, to, content.sha256)).toBe(true)
    })

    test('a backend of its own is the only one for a namespace', async () => {
      const [from, to] = [newName(), newName()]
      const blob = await pushBy(store(), diskAlone, from)
      const rules = {
        ...diskAlone,
        backends: ['disk', 'vault'],
        namespaces: { [namespaceOf(to)]: 'vault' },
      }
      expect(await mount(from, to, blob.sha256, rules)).toBe(false)
      await pushBy(store(), rules, to, hashedContent(blob.bytes))
      expect(await placesOf(store(), to, blob.sha256)).toStrictEqual(['disk', 'vault'])
      expect(await mount(from, newName(namespaceOf(to)), blob.sha256, rules)).toBe(true)
    })
  })
}

function exposureTests(open: OpenMetadataStore): void {
  describe('what lies in public backends', () => {
    const store = sharedStore(open)
    const close = (name: RepositoryName, rules = openFirst) => store().setVisibility(name, 'private', rules)

    test('keeps a repository public, with a word about what to do', async () => {
      const name = await repositoryOf(store(), 'public')
      const [one, two] = [hashedContent(new Uint8Array(1000)), hashedContent()]
      for (const content of [one, two]) await pushBy(store(), openFirst, name, content)
      const error = await refused(close(name), 'CONFLICT')
      expect(error.message).toContain(`openregistry move ${name} --to disk`)
      expect(error.message).toContain('cannot be recalled')
      expect(error.detail).toStrictEqual({
        backends: ['open'],
        blobs: 2,
        bytes: 1040,
        uploads: 0,
        layouts: 0,
      })
      expect(await store().findRepository(name)).toMatchObject({ visibility: 'public' })
      expect(await close(name, noneOpen)).toMatchObject({ visibility: 'private' })
    })

    test('hidden and unneeded blobs count: their bytes are there', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), openFirst, name)
      await store().deleteBlob(name, blob.sha256)
      await refused(close(name), 'CONFLICT')
    })

    test('uploads that are under way count, whatever arrived of them', async () => {
      const name = newName()
      const session = { defaultVisibility: 'public', rules: openFirst } as const
      const [first, second] = [
        await openSession(store(), name, session),
        await openSession(store(), name, session),
      ]
      const error = await refused(close(name), 'CONFLICT')
      expect(error.detail).toStrictEqual({ backends: ['open'], blobs: 0, bytes: 0, uploads: 2, layouts: 0 })
      for (const { id } of [first, second]) await store().cancelUpload(name, id)
      expect(await close(name)).toMatchObject({ visibility: 'private' })
    })

    test('what is elsewhere does not count, nor what is in the database', async () => {
      const name = await repositoryOf(store(), 'public')
      const content = hashedContent()
      await pushBy(store(), diskAlone, name)
      await pushBlob(store(), name, content, {
        stored: { kind: 'inline', bytes: content.bytes },
        rules: openFirst,
      })
      await openSession(store(), name, { rules: diskAlone })
      expect(await close(name)).toMatchObject({ visibility: 'private' })
    })

    test('what another public repository has there does not count, until that one is to be private, too', async () => {
      const [name, other] = [await repositoryOf(store(), 'public'), await repositoryOf(store(), 'public')]
      const blob = await pushBy(store(), diskAlone, name)
      await pushBy(store(), openFirst, other, hashedContent(blob.bytes))
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual(['disk', 'open'])
      expect(await close(name)).toMatchObject({ visibility: 'private' })
      const error = await refused(close(other), 'CONFLICT')
      expect(error.detail).toMatchObject({ blobs: 1 })
    })

    test('a copy that two repositories have there keeps the last of them public', async () => {
      const [name, other, third] = [
        await repositoryOf(store(), 'public'),
        await repositoryOf(store(), 'public'),
        await repositoryOf(store(), 'public'),
      ]
      const blob = await pushBy(store(), diskAlone, name)
      for (const one of [other, third]) await pushBy(store(), openFirst, one, hashedContent(blob.bytes))
      // It was there for a third one, which has gone; what it had is not collected yet.
      await pushBy(store(), diskAlone, other, hashedContent(blob.bytes))
      await store().deleteRepository(third, 'user:ada')
      const closed = await Promise.allSettled([close(name), close(other)])
      expect(closed.filter(({ status }) => status === 'rejected')).toHaveLength(1)
      expect(closed.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'CONFLICT' },
      })
    })

    test('nobody asks about a repository that is private already, or becomes public', async () => {
      const name = newName()
      await pushBy(store(), noneOpen, name)
      expect(await close(name)).toMatchObject({ visibility: 'private' })
      expect(await store().setVisibility(name, 'public', openFirst)).toMatchObject({ visibility: 'public' })
      expect(await close(newName())).toBeNull()
    })
  })
}

function unneededTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('objects in backends that nobody relies on', () => {
    test(
      'are given up when the last link that relies on one goes, and the blob stays',
      alone(async (store) => {
        const [name, other] = [await repositoryOf(store, 'public'), newName()]
        const content = hashedContent()
        const { id } = await openSession(store, name, { rules: openFirst })
        const commit = commitOf(id, content, { ...noLease, rules: openFirst })
        await store.commitBlob(commit)
        const kept = await pushBy(store, openFirst, other, content)
        expect(await placesOf(store, other, content.sha256)).toStrictEqual(['disk', 'open'])
        expect(await collectAll(store)).toMatchObject({ links: 1, blobs: 0, bytes: content.size })
        expect(await placesOf(store, other, content.sha256)).toStrictEqual(['disk'])
        const pending = await store.listPendingDeletes(10)
        expect(pending).toMatchObject([{ backend: 'open', key: keyOf({ ...kept, stored: commit.stored }) }])
      }),
    )

    test(
      'are given up when the repository pushes the same content to another backend',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBy(store, noneOpen, name)
        await pushBy(store, openFirst, name, blob)
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['disk', 'open'])
        await collectAll(store)
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['disk'])
      }),
    )

    test(
      'stay while they are the last good ones',
      alone(async (store) => {
        const name = newName()
        const blob = await pushBy(store, noneOpen, name)
        const copy = await pushBy(store, openFirst, name, blob)
        await store.recordDamage({
          state: 'damaged',
          at: { kind: 'object', backend: 'disk', key: keyOf(copy) },
        })
        await collectAll(store)
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['open'])
      }),
    )
  })
}
