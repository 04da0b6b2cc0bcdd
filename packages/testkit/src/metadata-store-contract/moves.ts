import { describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId, type MetadataStore, type PlacementRules } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { commitOf, hour, openSession, pendingKeys, pushBlob, refused, type Pushed } from './actions.ts'
import { aloneIn, collectAll, keyOf, noLease } from './collecting.ts'
import { hashedContent, newName } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { openFirst, placesOf, pushBy, repositoryOf } from './placement.ts'

const page = { after: null, limit: 100 }

/** Three backends; the default one is public. */
const rules: PlacementRules = { ...openFirst, backends: ['open', 'disk', 'vault'] }

/** Begins a move; it has to be taken. */
async function begin(store: MetadataStore, repository: RepositoryName, backend = 'disk', rate = 0) {
  const move = await store.startMove({ repository, backend, rate, principal: 'user:ada', rules })
  if (move === null) throw new Error('There is no such repository.')
  return move
}

async function idOf(store: MetadataStore, name: RepositoryName): Promise<string> {
  return (await store.findRepository(name))!.id
}

/** Copies a blob as the job does. */
async function copy(
  store: MetadataStore,
  name: RepositoryName,
  blob: { blobId: number },
  { to = 'disk', digest = null as Digest | null } = {},
): Promise<{ opened: boolean; committed: boolean }> {
  const id = newUploadId()
  const opening = { id, repositoryId: await idOf(store, name), backend: to, lifetime: hour, rules }
  if (!(await store.openCopy(opening))) return { opened: false, committed: false }
  const key = newStorageKey(id)
  const committed = await store.commitCopy({ upload: id, blobId: blob.blobId, key, digest, rules })
  return { opened: true, committed }
}

/** Links of a repository that are not where it was moved to. */
async function elsewhere(store: MetadataStore, name: RepositoryName, backend = 'disk') {
  return (await store.listLinksElsewhere(await idOf(store, name), backend, page)).items
}

/** Moves everything that is elsewhere, copy by copy. */
async function moveAll(store: MetadataStore, name: RepositoryName): Promise<void> {
  for (const link of await elsewhere(store, name)) {
    expect(await copy(store, name, link, { digest: link.digest })).toMatchObject({ committed: true })
  }
}

const end = async (
  store: MetadataStore,
  name: RepositoryName,
  left: number | null = 0,
  error: string | null = null,
) => store.endMove({ repositoryId: await idOf(store, name), left, error, rules })

/** Moving a repository to another backend. */
export function moveTests(open: OpenMetadataStore): void {
  startingTests(open)
  relocationTests(open)
  endingTests(open)
  copyTests(open)
}

function startingTests(open: OpenMetadataStore): void {
  describe('startMove', () => {
    const store = sharedStore(open)

    test('sends new content there at once, and asks for the job', async () => {
      const name = await repositoryOf(store(), 'public')
      expect(await store().findMove(name)).toMatchObject({ backend: null, move: null })
      const move = await begin(store(), name, 'vault', 1000)
      expect(move).toStrictEqual({
        backend: 'vault',
        state: 'running',
        requestedBy: 'user:ada',
        rate: 1000,
        startedAt: expect.any(Number) as number,
        endedAt: null,
        total: null,
        done: { blobs: 0, bytes: 0 },
        underWay: 0,
        error: null,
      })
      const repository = await store().findRepository(name)
      expect(await store().findMove(name)).toStrictEqual({ repository, backend: 'vault', move })
      expect((await openSession(store(), name, { rules })).backend).toBe('vault')
      expect(await store().findMoveTask(repository!.id)).toStrictEqual({
        repositoryId: repository!.id,
        name,
        visibility: 'public',
        backend: 'vault',
        confined: true,
        rate: 1000,
        counted: false,
      })
      const jobs = await store().listJobs(1000)
      expect(jobs.filter(({ key }) => key === repository!.id)).toMatchObject([
        { kind: 'registry.move', state: 'waiting' },
      ])
    })

    test('goes on with one to the same backend, and refuses another one until it has ended', async () => {
      const name = await repositoryOf(store(), 'public')
      const first = await begin(store(), name)
      expect(await begin(store(), name, 'disk', 5)).toStrictEqual({ ...first, rate: 5 })
      const error = await refused(begin(store(), name, 'vault'), 'CONFLICT')
      expect(error.message).toContain(`openregistry move ${name} --cancel`)
      expect(await end(store(), name)).toBe(true)
      expect(await begin(store(), name, 'vault')).toMatchObject({ backend: 'vault', state: 'running' })
    })

    test('refuses to bring what is private where others can read it', async () => {
      const name = await repositoryOf(store(), 'private')
      await refused(begin(store(), name, 'open'), 'CONFLICT')
      expect(await store().findMove(name)).toMatchObject({ backend: null, move: null })
    })

    test('knows no repository that is not there', async () => {
      const name = newName()
      const input = { repository: name, backend: 'disk', rate: 0, principal: 'operator', rules }
      expect(await store().startMove(input)).toBeNull()
      expect(await store().findMove(name)).toBeNull()
      expect(await store().findMoveTask('nobody')).toBeNull()
      expect(await store().cancelMove(name)).toBeNull()
      expect(await store().endMove({ repositoryId: 'nobody', left: 0, error: null, rules })).toBe(true)
    })
  })
}

function relocationTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('a move', () => {
    test(
      'counts what is elsewhere, and what is done of it',
      alone(async (store) => {
        const name = await repositoryOf(store, 'public')
        const sizes = [10, 20, 30]
        for (const size of sizes)
          await pushBy(store, rules, name, hashedContent(new Uint8Array(size).fill(size)))
        const inline = hashedContent()
        await pushBlob(store, name, inline, { stored: { kind: 'inline', bytes: inline.bytes }, rules })
        await begin(store, name)
        await store.countMove(await idOf(store, name))
        const links = await elsewhere(store, name)
        expect(
          links.map(({ size, there }) => [size, there]).toSorted(([a], [b]) => Number(a) - Number(b)),
        ).toStrictEqual(sizes.map((size) => [size, false]))
        expect(links.map(({ digest }) => digest)).toStrictEqual(links.map(({ sha256 }) => sha256))
        const [first] = links
        await copy(store, name, first!, { digest: first!.digest })
        await store.noteMove({ repositoryId: await idOf(store, name), underWay: 7, error: 'oh' })
        expect((await store.findMove(name))?.move).toMatchObject({
          total: { blobs: 3, bytes: 60 },
          done: { blobs: 1, bytes: first!.size },
          underWay: 7,
          error: 'oh',
          state: 'running',
        })
        expect(await elsewhere(store, name)).toHaveLength(2)
      }),
    )

    test(
      'gives the old objects up when nobody relies on them, and not before',
      alone(async (store) => {
        const [name, other] = [await repositoryOf(store, 'public'), await repositoryOf(store, 'public')]
        const [own, shared] = [await pushBy(store, rules, name), await pushBy(store, rules, name)]
        await pushBy(store, rules, other, shared)
        const before = await pendingKeys(store)
        await begin(store, name)
        await moveAll(store, name)
        for (const { sha256 } of [own, shared]) {
          expect(await placesOf(store, name, sha256)).toStrictEqual(['disk', 'open'])
        }
        await collectAll(store, { grace: hour })
        expect(await placesOf(store, name, own.sha256)).toStrictEqual(['disk'])
        expect(await placesOf(store, name, shared.sha256)).toStrictEqual(['disk', 'open'])
        const given = (await pendingKeys(store)).filter((key) => !before.includes(key))
        expect(given).toStrictEqual([keyOf(own)])
      }),
    )

    test(
      'needs no copy where the bytes are already',
      alone(async (store) => {
        const [name, other] = [await repositoryOf(store, 'public'), newName()]
        const blob = await pushBy(store, rules, name)
        await pushBy(store, rules, other, blob)
        await begin(store, name)
        const input = { repositoryId: await idOf(store, name), digests: [blob.sha256], rules }
        expect(await elsewhere(store, name)).toMatchObject([{ there: true }])
        expect(await store.relocateLinks(input)).toBe(1)
        expect(await store.relocateLinks(input)).toBe(0)
        expect(await elsewhere(store, name)).toStrictEqual([])
        await collectAll(store, { grace: hour })
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['disk'])
      }),
    )

    test(
      'does not rely on what is not there, or damaged there',
      alone(async (store) => {
        const [name, other] = [await repositoryOf(store, 'public'), newName()]
        const [blob, unknown] = [await pushBy(store, rules, name), await pushBy(store, rules, name)]
        const damaged = await pushBy(store, rules, other, blob)
        await store.recordDamage({
          state: 'damaged',
          at: { kind: 'object', backend: 'disk', key: keyOf(damaged) },
        })
        await begin(store, name)
        const digests = [blob.sha256, unknown.sha256]
        expect(await store.relocateLinks({ repositoryId: await idOf(store, name), digests, rules })).toBe(0)
        expect(await elsewhere(store, name)).toHaveLength(2)
        await moveAll(store, name)
        await collectAll(store, { grace: hour })
        expect(await placesOf(store, name, blob.sha256)).toStrictEqual(['disk'])
      }),
    )

    test(
      'takes along what is pushed to the old backend meanwhile',
      alone(async (store) => {
        const name = await repositoryOf(store, 'public')
        const [late, content] = [await openSession(store, name, { rules }), hashedContent()]
        expect(late.backend).toBe('open')
        await begin(store, name, 'vault')
        const job = (await store.leaseJob({ kinds: ['registry.move'], token: 'a', lease: hour }))!
        expect(await end(store, name)).toBe(true)
        await store.finishJob({ id: job.id, token: 'a' }, null)
        // Ended with the move of what may have nothing in public backends.
        await refused(store.commitBlob(commitOf(late.id, content, { rules })), 'BLOB_UPLOAD_UNKNOWN')
        const session = await openSession(store, name, { rules })
        await begin(store, name, 'open')
        await end(store, name)
        await store.commitBlob(commitOf(session.id, content, { rules }))
        expect(await placesOf(store, name, content.sha256)).toStrictEqual(['vault'])
        expect(await elsewhere(store, name, 'open')).toHaveLength(1)
        const jobs = await store.listJobs(10)
        expect(jobs).toMatchObject([{ kind: 'registry.move', state: 'waiting' }])
      }),
    )
  })
}

function endingTests(open: OpenMetadataStore): void {
  describe('endMove', () => {
    const store = sharedStore(open)

    test('ends what is done, and not what is not', async () => {
      const name = await repositoryOf(store(), 'public')
      await pushBy(store(), rules, name)
      await begin(store(), name)
      expect(await end(store(), name)).toBe(false)
      expect((await store().findMove(name))?.move).toMatchObject({ state: 'running' })
      await moveAll(store(), name)
      expect(await end(store(), name)).toBe(true)
      const { move } = (await store().findMove(name))!
      expect(move).toMatchObject({ state: 'done', done: { blobs: 1 } })
      expect(move!.endedAt).not.toBeNull()
    })

    test('says why it is not complete', async () => {
      const name = await repositoryOf(store(), 'public')
      for (let count = 0; count < 2; count++) await pushBy(store(), rules, name)
      await begin(store(), name)
      expect(await end(store(), name, 1, 'one is unreadable')).toBe(false)
      expect(await end(store(), name, 2, 'two are unreadable')).toBe(true)
      expect((await store().findMove(name))?.move).toMatchObject({
        state: 'failed',
        error: 'two are unreadable',
      })
      expect(await begin(store(), name)).toMatchObject({ state: 'running', error: null })
      expect(await end(store(), name, null, 'stop')).toBe(true)
    })

    test('ends uploads that would come too late, and only those', async () => {
      const name = await repositoryOf(store(), 'public')
      const before = await openSession(store(), name, { rules })
      await begin(store(), name)
      const after = await openSession(store(), name, { rules })
      await end(store(), name)
      expect(await store().findUpload(name, before.id)).toBeNull()
      expect(await store().findUpload(name, after.id)).not.toBeNull()
    })

    test('a repository that was moved out of public backends may become private', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), rules, name)
      await begin(store(), name)
      await refused(store().setVisibility(name, 'private', rules), 'CONFLICT')
      await moveAll(store(), name)
      // Its old copy is still there, on nobody's account.
      await refused(store().setVisibility(name, 'private', rules), 'CONFLICT')
      const id = await idOf(store(), name)
      expect(await store().releaseCopies(id, rules)).toBe(1)
      await store().collectBlobs({ limit: 1000, rules })
      expect(await store().releaseCopies(id, rules)).toBe(0)
      expect(await store().setVisibility(name, 'private', rules)).toMatchObject({ visibility: 'private' })
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual(['disk'])
    })
  })

  describe('cancelMove', () => {
    const store = sharedStore(open)

    test('leaves what was moved, and sends new content where it went before', async () => {
      const name = await repositoryOf(store(), 'public')
      const [moved, left] = [await pushBy(store(), rules, name), await pushBy(store(), rules, name)]
      await begin(store(), name, 'vault')
      const links = await elsewhere(store(), name, 'vault')
      const link = links.find(({ sha256 }) => sha256 === moved.sha256)!
      await copy(store(), name, link, { to: 'vault', digest: link.digest })
      expect(await store().cancelMove(name)).toMatchObject({ state: 'cancelled', done: { blobs: 1 } })
      expect(await store().cancelMove(name)).toBeNull()
      expect(await store().findMove(name)).toMatchObject({ backend: null })
      expect(await store().findMoveTask(await idOf(store(), name))).toBeNull()
      expect((await openSession(store(), name, { rules })).backend).toBe('open')
      expect(await elsewhere(store(), name, 'vault')).toMatchObject([{ sha256: left.sha256 }])
      // A copy that was under way is not wanted any more.
      const other = links.find(({ sha256 }) => sha256 === left.sha256)!
      expect(await copy(store(), name, other, { to: 'vault', digest: other.digest })).toStrictEqual({
        opened: true,
        committed: false,
      })
    })

    test('goes back to the backend of the move before', async () => {
      const name = await repositoryOf(store(), 'public')
      await begin(store(), name, 'vault')
      await end(store(), name)
      await begin(store(), name, 'open')
      await store().cancelMove(name)
      expect(await store().findMove(name)).toMatchObject({ backend: 'vault', move: { backend: 'open' } })
      expect(await store().findMoveTask(await idOf(store(), name))).toMatchObject({ confined: true })
    })
  })
}

function copyTests(open: OpenMetadataStore): void {
  describe('copies', () => {
    const store = sharedStore(open)
    const linkOf = async (name: RepositoryName, { sha256 }: Pushed) =>
      (await elsewhere(store(), name, 'nowhere')).find((link) => link.sha256 === sha256)!

    test('are read beside the others', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), rules, name)
      const link = await linkOf(name, blob)
      expect(await copy(store(), name, link, { to: 'vault' })).toMatchObject({ committed: true })
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual(['open', 'vault'])
      const objects = await store().listObjects(link.blobId)
      expect(objects.map(({ backend }) => backend)).toStrictEqual(['open', 'vault'])
      expect(objects[0]?.key).toBe(keyOf(blob))
    })

    test('are not begun where the repository may have none, nor for one that is not there', async () => {
      const name = newName()
      const blob = await pushBy(store(), rules, name)
      const link = await linkOf(name, blob)
      expect(await copy(store(), name, link, { to: 'open' })).toMatchObject({ opened: false })
      const opening = { id: newUploadId(), repositoryId: 'nobody', backend: 'disk', lifetime: hour, rules }
      expect(await store().openCopy(opening)).toBe(false)
    })

    test('keep a repository public while they are under way, and are given up when they come too late', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), { ...rules, backends: ['disk', 'open'] }, name)
      const { blobId } = await linkOf(name, blob)
      const id = newUploadId()
      const opening = { id, repositoryId: await idOf(store(), name), backend: 'open', lifetime: hour, rules }
      expect(await store().openCopy(opening)).toBe(true)
      await refused(store().setVisibility(name, 'private', rules), 'CONFLICT')
      expect(await store().cancelUpload(name, id)).toBe(true)
      await store().setVisibility(name, 'private', rules)
      const key = newStorageKey(id)
      expect(await store().commitCopy({ upload: id, blobId, key, digest: null, rules })).toBe(false)
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual(['disk'])
    })

    test('of what has gone are given up', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBlob(store(), name, hashedContent(), { rules, ...noLease })
      const link = await linkOf(name, blob)
      const id = newUploadId()
      await store().openCopy({
        id,
        repositoryId: await idOf(store(), name),
        backend: 'vault',
        lifetime: hour,
        rules,
      })
      await collectAll(store())
      const key = newStorageKey(id)
      expect(await store().commitCopy({ upload: id, blobId: link.blobId, key, digest: null, rules })).toBe(
        false,
      )
      expect(await pendingKeys(store())).toContain(key)
    })

    test('are made on the account of somebody who has the blob, and may have it there', async () => {
      const [name, closed] = [await repositoryOf(store(), 'public'), newName()]
      const [blob, secret] = [await pushBy(store(), rules, name), await pushBy(store(), rules, closed)]
      const [{ blobId }, { blobId: secretId }] = [await linkOf(name, blob), await linkOf(closed, secret)]
      const owner = { id: await idOf(store(), name), name }
      expect(await store().findOwner(blobId, { open: true })).toStrictEqual(owner)
      expect(await store().findOwner(secretId, { open: true })).toBeNull()
      expect(await store().findOwner(secretId, { open: false })).toMatchObject({ name: closed })
      await store().deleteRepository(name, 'user:ada')
      expect(await store().findOwner(blobId, { open: false })).toBeNull()
    })

    test('replace what is damaged', async () => {
      const name = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), rules, name)
      const link = await linkOf(name, blob)
      await store().recordDamage({
        state: 'missing',
        at: { kind: 'object', backend: 'open', key: keyOf(blob) },
      })
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual([])
      expect(await copy(store(), name, link, { to: 'open' })).toMatchObject({ committed: true })
      expect(await placesOf(store(), name, blob.sha256)).toStrictEqual(['open'])
      expect(await pendingKeys(store())).toContain(keyOf(blob))
    })
  })
}
