import { expect, test, vi } from 'vitest'
import { newBackendIdentity, newStorageKey, newUploadId, type MetadataStore } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import {
  diskAlone,
  openFirst,
  hashedContent,
  newName,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
} from '@openregistry/testkit'
import { operations } from '../operations.ts'
import { Connection } from './connection.ts'
import { storeOn, withConnection } from './test-engine.ts'

const [latest] = ['latest'] as Tag[]

/** Takes every step and read at least once, on as many ways through them as have statements of their own. */
async function useEverything(store: MetadataStore): Promise<void> {
  const [name, other] = [newName(), newName()]
  const page = { after: null, limit: 10 }
  const large = await pushBlob(store, name, hashedContent(new Uint8Array(1024 * 1024 + 1)))
  await pushBlob(store, name, large, { sha512: large.sha512 })
  const manifest = await pushManifest(store, name, {
    blobs: [large.sha256],
    references: [{ digest: hashedContent().sha256, kind: 'manifest' }],
    subject: hashedContent().sha256,
    artifactType: 'application/x',
    tags: [latest!],
  })
  await store.putManifest({ ...manifest, mediaType: 'application/y', references: [] })
  await pushManifest(store, name, { tags: [latest!] })
  const { id } = (await store.findRepository(name))!
  await store.renewLease(id, large.sha256, 1000)
  await pushBlob(store, name, undefined, { lease: 0 })
  await store.renewLeases(id, 1000)
  await store.mountBlob({
    rules: diskAlone,
    source: id,
    target: other,
    defaultVisibility: 'private',
    digest: large.sha256,
    lease: 1,
  })
  await store.findMountSource('nobody', large.sha256)
  await store.findBlob(name, large.sha256)
  await store.findManifest(name, { kind: 'tag', tag: latest! }, { bytes: true })
  await store.findManifest(name, { kind: 'digest', digest: manifest.digest }, { bytes: true })
  await store.listTags(name, page)
  await store.listTagNames(name, page)
  await store.listRepositories({ kind: 'all' }, page)
  await store.listRepositories({ kind: 'public' }, page)
  await store.listReferrers(name, manifest.subject!, null, page)
  await store.listReferrers(name, manifest.subject!, 'application/x', page)
  await useSessions(store)
  await useJobs(store)
  await useScrub(store, name)
  await useTies(store)
  await useIpfs(store, name, manifest.digest)
  await store.beginRestore('snapshot')
  await store.findUnfinishedRestore()
  await store.endRestore('snapshot')
  await store.createRepository({ id: 'an id', name: newName(), visibility: 'public' })
  await store.figures()
  await store.check()
  const refusing = { ...openFirst, public: ['open', 'disk'] }
  await store.setVisibility(name, 'public', refusing)
  await store.setVisibility(name, 'private', refusing).catch(() => null)
  await store.deleteTag(name, latest!, 'user:ada')
  await store.deleteBlob(name, large.sha256)
  await useHistory(store, name, manifest.digest)
  await store.deleteRepository(name, 'user:ada')
  await usePlacement(store)
  await useCollection(store)
}

async function useCollection(store: MetadataStore): Promise<void> {
  const [name, limit, all] = [newName(), { limit: 10 }, { grace: 0, limit: 10 }]
  const secret = await pushBlob(store, name)
  const image = await pushManifest(store, name, { blobs: [secret.sha256], tags: [latest!] })
  await pushManifest(store, name, { subject: image.digest })
  await pushManifest(store, name, { tags: [image.digest.replace(':', '-') as Tag] })
  await store.deleteManifest(name, image.digest, 'user:ada')
  await pushBlob(store, name, hashedContent(), { lease: 0 })
  await openSession(store, name)
  await store.previewCollection(0, 10)
  await store.collectLinks(all)
  for (let turn = 0; turn < 3; turn++) await store.collectManifests(all)
  await store.collectBlobs({ ...limit, rules: { ...openFirst, backends: [], replicas: ['open', 'vault'] } })
  await pushBlob(store, name, secret)
  await pushManifest(store, name, { blobs: [secret.sha256], tags: [latest!] })
  await store.findHolders(secret.sha256, 10)
  while ((await store.purgeContent(secret.sha256, 'operator', limit)).more);
  await store.purgeContent((await pushManifest(store, name)).digest, 'operator', limit)
  await openSession(store, name)
  await store.deleteRepository(name, 'user:ada')
  while ((await store.emptyRepositories(limit)).more);
  await store.compact()
}

async function usePlacement(store: MetadataStore): Promise<void> {
  const [name, page] = [newName(), { after: null, limit: 10 }]
  const rules = { ...openFirst, backends: ['open', 'disk', 'vault'] }
  const [blob] = [await pushBlob(store, name, hashedContent(), { rules }), await openSession(store, name)]
  const { id: repositoryId } = (await store.findRepository(name))!
  const begin = { repository: name, backend: 'vault', rate: 0, principal: 'operator', rules }
  await store.startMove(begin)
  await store.startMove(begin)
  await store.findMove(name)
  await store.findMoveTask(repositoryId)
  await store.countMove(repositoryId)
  await store.noteMove({ repositoryId, underWay: 1, error: null })
  const [link] = (await store.listLinksElsewhere(repositoryId, 'vault', page)).items
  await store.listObjects(link?.blobId ?? 0)
  await store.findOwner(link?.blobId ?? 0, { open: true })
  await store.mendInline({ location: 1, bytes: new Uint8Array(1) })
  const image = await pushManifest(store, name, { blobs: [blob.sha256] })
  await store.listImageContent(repositoryId, [image.digest])
  await store.listPlaces(repositoryId, [blob.sha256], rules)
  await store.listExposed(['open'], { after: null, limit: 10 })
  for (const wanted of [blob.sha256, null]) {
    const id = newUploadId()
    await store.openCopy({ id, repositoryId, backend: 'vault', lifetime: 1000, rules })
    const copy = { upload: id, key: newStorageKey(id), digest: wanted, rules }
    await store.commitCopy({ ...copy, blobId: link?.blobId ?? 0 })
  }
  const pass = await store.beginReplication({ backend: 'open', interval: 1000 })
  await store.listUncopied({ backend: 'open', open: false, after: 0, limit: 10 })
  await store.noteReplication({ ...pass, backend: 'open', position: 1 })
  await store.relocateLinks({ repositoryId, digests: [blob.sha256], rules })
  await store.releaseCopies(repositoryId, { ...rules, public: ['disk'] })
  await store.collectBlobs({ limit: 10, rules })
  await store.endMove({ repositoryId, left: 0, error: null, rules: { ...rules, public: ['disk'] } })
  await store.startMove({ ...begin, backend: 'disk' })
  await store.cancelMove(name)
}

async function useHistory(store: MetadataStore, name: RepositoryName, digest: Digest): Promise<void> {
  const page = { after: null, limit: 10 }
  const { digest: whole } = await pushManifest(store, name, { tags: [latest!] })
  for (const gone of [digest, whole]) await store.deleteManifest(name, gone, 'user:ada')
  await store.listTagHistory(name, null, page)
  await store.listTagHistory(name, latest!, page)
  await store.findTagChangeAt(name, latest!, Date.now())
  await store.findDeletedManifest(name, digest)
  const restore = { repository: name, tag: null, principal: 'user:ada' }
  await store.restoreManifest({ ...restore, digest, rules: diskAlone }).catch(() => null)
  await store.restoreManifest({ ...restore, digest: whole, rules: diskAlone })
}

async function useSessions(store: MetadataStore): Promise<void> {
  const name = newName()
  const [session, cancelled] = [await openSession(store, name, { limit: 5 }), await openSession(store, name)]
  await store.addPart({ upload: session.id, part: partAt(session.id, 0, hashedContent('a')), lifetime: 1000 })
  await store.renewUpload(session.id, 1000)
  await store.findUpload(name, session.id)
  await store.listParts(session.id)
  await store
    .addPart({ upload: session.id, part: partAt(session.id, 9, hashedContent()), lifetime: 0 })
    .catch(() => 0)
  await store.addPart({ upload: session.id, part: partAt(session.id, 1, hashedContent()), lifetime: 0 })
  await store.cancelUpload(name, cancelled.id)
  await store.expireUploads(10)
  await store.sweepUpload(session.id, [])
  const pending = await store.listPendingDeletes(10)
  await store.forgetPendingDeletes(pending.map(({ id }) => id))
}

async function useJobs(store: MetadataStore): Promise<void> {
  await store.scheduleJob('sweep', 0)
  await store.enqueueJob({ kind: 'sweep', key: '', payload: '', delay: 0 })
  const held = { id: (await store.leaseJob({ kinds: ['sweep'], token: 'a', lease: 1000 }))!.id, token: 'a' }
  await store.extendJob(held, 1000)
  await store.listJobs(10)
  await store.failJob(held, 'broken', 0)
  await store.finishJob(held, null)
}

async function useTies(store: MetadataStore): Promise<void> {
  const tie = { backend: 'disk', identity: newBackendIdentity() }
  await store.findBackendIdentity(tie.backend)
  await store.namesObjects(tie.backend)
  await store.tieBackend(tie)
  await store.retieBackend(tie)
}

async function useScrub(store: MetadataStore, name: RepositoryName): Promise<void> {
  const page = { after: null, limit: 10 }
  const [claim, lease, backend] = ['claim', 1000, 'disk']
  const blob = await pushBlob(store, name)
  const now = await store.databaseTime()
  const { startedAt } = await store.beginScrubPass({ anew: false, within: 1000 })
  await store.scrubTotals(now)
  await store.hasClaims(now)
  await store.claimLocations({ claim, lease, limit: 10, verifiedBefore: now, blobs: [1] })
  const due = { claim, lease, limit: 10, verifiedBefore: now + 10_000, blobs: null }
  const ids = (await store.claimLocations(due)).map(({ id }) => id)
  await store.readLocation(ids[0] ?? 0)
  await store.renewLocationClaims({ ids, claim, lease })
  await store.mendContent({ ...blob, location: ids[0] ?? 0, blobId: 1, claim })
  await store.recordVerified({ ids, claim })
  await store.releaseLocations({ ids, claim })
  await store.recordDamage({ state: 'damaged', at: { kind: 'inline', location: 1, claim } })
  if (blob.stored.kind === 'object') {
    await store.readLeaves({ backend, key: blob.stored.key, first: 0, count: 1 })
    await store.recordDamage({ state: 'damaged', at: { kind: 'object', backend, key: blob.stored.key } })
    await store.noteSurplus({ backend, keys: [newStorageKey(newUploadId())], age: 0 })
  }
  await store.listDamage(page)
  await store.findStoredObject(blob.sha256, backend)
  await store.listBlobUses(1, 10)
  await store.listRepositoryContent(name, 'blobs', page)
  await store.listRepositoryContent(name, 'manifests', page)
  await store.listKeys(backend, '', page)
  await store.claimListing({ backend, claim, lease, listedBefore: now })
  await store.deleteSurplus({ backend, prefix: '', age: 0, confirmed: false })
  await store.noteSurplus({ backend, keys: [newStorageKey(newUploadId())], age: 0 })
  await store.deleteSurplus({ backend, prefix: '', age: 0, confirmed: true })
  await store.endListing({ backend, prefix: '00', claim, now })
  await store.endScrubPass(startedAt)
}

async function useIpfs(store: MetadataStore, name: RepositoryName, digest: Digest): Promise<void> {
  const [sha256, bytes, repositories] = [new Uint8Array(32), new Uint8Array(9), [newName(), name]]
  const root = { root: sha256, size: 9, blocks: [{ sha256, bytes }] }
  for (const visibility of ['public', 'private'] as const) {
    for (const repository of repositories) await store.setVisibility(repository, visibility, diskAlone)
    for (const layout of [null, root]) await store.putLayout({ repository: name, digest, layout })
    for (const unsettled of await store.listUnsettled('', 10)) {
      const { id: repositoryId } = unsettled
      for (const content of ['blobs', 'manifests'] as const) {
        await store.settleContent({ ...unsettled, content, after: '', limit: 10 })
      }
      await store.endSettling(unsettled)
      await store.putDirectory({ repositoryId, root: sha256, blocks: root.blocks, keep: 0, name: null })
      const name = { publicKey: sha256, lifetime: 1000, before: 500 }
      await store.putDirectory({ repositoryId, root: sha256.map(() => 1), blocks: [], keep: 0, name })
      await store.renewNames([{ repositoryId, publicKey: sha256 }], name)
    }
    await store.listDueLayouts(10)
    await store.postponeLayouts([1], 0)
    for (const kind of ['layouts', 'directories'] as const) {
      for (const due of await store.listDueRoots(kind, 10)) {
        for (const announced of [true, false]) await store.endAnnouncement({ ...due, announced, again: 0 })
        await store.postponeRoots([due.of], 0)
      }
    }
    const { id: repositoryId } = (await store.findRepository(name))!
    await store.beginLayoutPin({ repositoryId, backend: 'open', root: sha256, rules: openFirst })
    await store.endLayoutPin('open', sha256, { open: true })
    await store.listPinnedLayouts(repositoryId, [digest])
    await store.listAnnouncedLayouts(repositoryId, { manifests: [digest], within: 1000 })
    await store.listLayoutPins('open', { open: true, unseenFor: 0, limit: 10 })
    await store.releaseLayoutPins({ repositoryId, rules: openFirst, limit: 10 })
    await store.seenLayoutPins('open', [sha256])
    await store.forgetLayoutPin('open', sha256)
  }
  await store.findPublicBlob({ sha256, as: 'block', except: [], bytes: true })
  await store.readBlobLeaves(1)
  await store.findPublicNode(sha256)
  await store.findPublicName(sha256)
  await store.listDueNames(1000, 10)
  await store.findLayout(name, digest)
  await store.describeBlobs(name, [digest])
  await store.listTaggedLayouts(name, { after: null, limit: 10 })
  const changes = await store.listTagChanges(0, 10)
  await store.forgetTagChanges(changes.map(({ id }) => id))
}

/** Lists that a statement was given, bounded subqueries, small tables, and queues that are read from their beginning. */
const harmless = new RegExp(
  '^SCAN (json_each|found|candidate|opened|in_namespace|in_any|own|public|content|blob_candidates|pragma_freelist_count|open_sessions|queued|page|schema_migrations' +
    String.raw`|pending_deletes|replications|scrub_passes|counted|jobs|(\d+ )?CONSTANT ROWS?|\(subquery-\d+\))`,
)

/** An operator's look at everything that is due: it groups and sorts, in a process of its own. */
const preview = /^\s*WITH (going|gone) AS/

/** A new parent could have children already only if foreign keys were deferred; they are not, so nothing is looked for. */
const newParent = /INSERT INTO repositories/

test('no statement walks a table or sorts what it found', async () => {
  const texts = new Set<string>()
  const used = new Set<string>()
  const original = Connection.prototype.all
  const spy = vi.spyOn(Connection.prototype, 'all').mockImplementation(function (this: Connection, query) {
    texts.add(query.text)
    return original.call(this, query)
  })
  await withConnection(async (connection) => {
    const store = storeOn(connection)
    const watched = new Proxy(store, {
      get(target, name: keyof MetadataStore) {
        used.add(String(name))
        return target[name]
      },
    })
    await useEverything(watched)
    spy.mockRestore()
    expect([...used].sort()).toStrictEqual(Object.keys(operations).sort())
    expect(texts.size).toBeGreaterThan(70)
    const walks: string[] = []
    for (const text of texts) {
      if (preview.test(text)) continue
      for (const row of connection.all({ text: `EXPLAIN QUERY PLAN ${text}`, values: [] })) {
        const detail = String(row['detail'])
        const bad =
          (detail.startsWith('SCAN') && !harmless.test(detail) && !newParent.test(text)) ||
          detail.includes('TEMP B-TREE')
        if (bad) walks.push(`${detail} <- ${text}`)
      }
    }
    expect(walks).toStrictEqual([])
  })
})
