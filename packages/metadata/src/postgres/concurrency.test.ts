import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newUploadId, type MetadataStore, type PutManifest } from '@openregistry/core'
import { RegistryError, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import {
  blobAt,
  describeWithPostgres,
  openFirst,
  hashedContent,
  manifestAt,
  manifestOf,
  newName,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
  type DatabaseAddress,
  type PostgresCluster,
} from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

type HashedContent = ReturnType<typeof hashedContent>

const hour = 3_600_000
const tags = ['latest', 'v1', 'v2'] as Tag[]

/** What a small world of names and content is, in which everything meets everything. */
interface World {
  names: readonly RepositoryName[]
  blobs: readonly HashedContent[]
  /** What has to be there at the end, unless its repository was deleted. */
  kept: Kept[]
}

/** What a reference of a repository finds. */
interface Kept {
  repository: string
  name: RepositoryName
  reference: string
  digest: Digest
}

const pick = <T>(items: readonly T[]): T => items[randomInt(items.length)]!

const manifests = 6

/** The same bytes need the same blobs, always. Every other manifest is a referrer of the one before. */
function manifestWith(salt: number, name: RepositoryName, blobs: World['blobs']): PutManifest {
  const bytes = (of: number) => new TextEncoder().encode(`${name} ${of}`)
  return manifestOf(name, {
    blobs: [blobs[salt % blobs.length]!.sha256, blobs[(salt + 1) % blobs.length]!.sha256],
    bytes: bytes(salt),
    subject: salt % 2 === 0 ? null : hashedContent(bytes(salt - 1)).sha256,
    rules: openFirst,
    tags: tags.slice(randomInt(4)),
  })
}

/** One random step. What it may refuse is not a fault. */
async function takeOne(store: MetadataStore, world: World): Promise<unknown> {
  const { names, blobs } = world
  const [name, content] = [pick(names), pick(blobs)]
  const manifest = manifestWith(randomInt(manifests), name, blobs)
  switch (randomInt(14)) {
    case 0:
    case 1:
    case 2:
      return pushBlob(store, name, content, { rules: openFirst })
    case 3:
    case 4:
    case 5:
      return store.putManifest(manifest)
    case 13:
      return keepAttached(store, name, world)
    case 12:
      return randomInt(8) === 0 ? purge(store, content.sha256) : keepAttached(store, name, world)
    case 11:
      return collect(store)
    case 10:
      return restoreAny(store, name, manifest.digest)
    case 6:
      return store.deleteManifest(name, manifest.digest, 'user:ada')
    case 7:
      return randomInt(8) === 0
        ? store.deleteRepository(name, 'user:ada')
        : store.deleteTag(name, pick(tags), 'user:ada')
    case 8:
      return mountAnywhere(store, world)
    default:
      return randomInt(2) === 0
        ? store.setVisibility(name, randomInt(2) === 0 ? 'public' : 'private', openFirst)
        : store.deleteBlob(name, content.sha256)
  }
}

/** Makes what the collector takes with a deleted manifest, and asks for it while that is at work. */
async function keepAttached(store: MetadataStore, name: RepositoryName, { kept }: World): Promise<void> {
  const before = await store.findRepository(name)
  const subject = await pushManifest(store, name)
  const referrer = await pushManifest(store, name, { subject: subject.digest })
  const companion = `${subject.digest.replace(':', '-')}.sig` as Tag
  await pushManifest(store, name, { tags: [companion] })
  await store.deleteManifest(name, subject.digest, 'user:ada')
  const own = `keep-${referrer.digest.slice(-12)}` as Tag
  const child = [{ digest: referrer.digest, kind: 'manifest' }] as const
  const moved = manifestOf(name, { tags: [companion] })
  const [{ reference, digest, missing }] = await Promise.all([
    pick([
      async () => ({
        ...(await store.putManifest({ ...referrer, tags: [own] })),
        reference: own,
        digest: referrer.digest,
      }),
      async () => ({ ...(await store.putManifest(moved)), reference: companion, digest: moved.digest }),
      async () => ({
        ...(await store.putManifest(manifestOf(name, { references: child }))),
        reference: referrer.digest,
        digest: referrer.digest,
      }),
    ])(),
    store.collectManifests({ grace: 0, limit: 20 }),
  ])
  const after = await store.findRepository(name)
  // Not if it was deleted meanwhile, with some of this or with all.
  if (before !== null && before.id === after?.id && missing.length === 0)
    kept.push({ repository: before.id, name, reference, digest })
}

/** What was to be kept and is gone, though its repository is still the same. */
async function lost(store: MetadataStore, { kept }: World): Promise<Kept[]> {
  const gone: Kept[] = []
  for (const one of kept) {
    if ((await store.findRepository(one.name))?.id !== one.repository) continue
    if ((await manifestAt(store, one.name, one.reference))?.digest !== one.digest) gone.push(one)
  }
  return gone
}

async function purge(store: MetadataStore, digest: Digest): Promise<unknown> {
  return store.purgeContent(digest, 'operator', { limit: 5 })
}

async function mountAnywhere(store: MetadataStore, { names, blobs }: World): Promise<unknown> {
  const digest = pick(blobs).sha256
  const source = await store.findRepository(pick(names))
  if (source === null) return null
  const target = pick(names)
  return store.mountBlob({
    source: source.id,
    target,
    defaultVisibility: 'private',
    digest,
    lease: hour,
    rules: openFirst,
  })
}

async function restoreAny(store: MetadataStore, name: RepositoryName, digest: Digest): Promise<unknown> {
  const tag = randomInt(2) === 0 ? null : pick(tags)
  return store.restoreManifest({ repository: name, digest, tag, principal: 'user:bob', rules: openFirst })
}

/** A turn of the collector that waits for no grace. */
async function collect(store: MetadataStore): Promise<unknown> {
  await store.emptyRepositories({ limit: 20 })
  await store.collectManifests({ grace: 0, limit: 5 })
  await store.collectLinks({ grace: 0, limit: 5 })
  return store.collectBlobs({ limit: 5, rules: openFirst })
}

/** Refusals that a client understands. */
const expected = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UPLOAD_UNKNOWN', 'CONFLICT'])

describeWithPostgres('replicas at once', (cluster) => {
  const replicas: MetadataStore[] = []
  let address: DatabaseAddress
  const open = () =>
    openPostgresMetadataStore({ ...settingsFor(address, { poolSize: 8, lockTimeout: 0 }), autoMigrate: true })

  beforeAll(async () => {
    address = await cluster().createDatabase()
    // Ten that start on an empty database: one makes the schema, the others wait for it.
    replicas.push(...(await Promise.all(Array.from({ length: 10 }, open))))
  })
  afterAll(() => Promise.all(replicas.map((store) => store[Symbol.asyncDispose]())))

  test('all see the schema that one of them made', async () => {
    const figures = await Promise.all(replicas.map((store) => store.figures()))
    expect(new Set(figures.map(({ schemaVersion }) => schemaVersion)).size).toBe(1)
  })

  test('any steps on the same rows: nothing fails, and no two wait for each other for ever', async () => {
    const world: World = {
      names: Array.from({ length: 3 }, () => newName('storm')),
      blobs: Array.from({ length: 4 }, () => hashedContent()),
      kept: [],
    }
    const refusals = new Map<string, number>()
    const clients = replicas.flatMap((store) => [store, store, store])
    await Promise.all(
      clients.map(async (store) => {
        for (let count = 0; count < 30; count++) {
          try {
            await takeOne(store, world)
          } catch (error) {
            if (!(error instanceof RegistryError) || !expected.has(error.code)) throw error
            refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1)
          }
        }
      }),
    )
    expect(await lost(replicas[0]!, world)).toStrictEqual([])
    expect(world.kept.length).toBeGreaterThan(0)
    await expectWhole(cluster(), address)
    expect(await deadlocks(cluster(), address)).toBe(0)
  })

  test('one new repository, blob, manifest and tag from all of them', async () => {
    const [name, content] = [newName(), hashedContent()]
    await Promise.all(replicas.map((store) => pushBlob(store, name, content, { sha512: content.sha512 })))
    const manifest = manifestOf(name, { blobs: [content.sha256], tags: ['latest'] as Tag[] })
    await Promise.all(replicas.map((store) => store.putManifest(manifest)))
    for (const store of replicas) {
      expect(await blobAt(store, name, content.sha256)).toMatchObject({ size: content.size })
      expect((await manifestAt(store, name, 'latest'))?.digest).toBe(manifest.digest)
    }
  })

  test('nobody has to wait until nobody pushes: visibility and deletion get their turn', async () => {
    const name = newName()
    await replicas[0]!.putManifest(manifestOf(name))
    let done = false
    const pushing = Promise.all(
      replicas.map(async (store) => {
        while (!done) await store.putManifest(manifestOf(name))
      }),
    )
    try {
      for (const visibility of ['public', 'private', 'public', 'private'] as const) {
        expect(await replicas[0]!.setVisibility(name, visibility, openFirst)).toMatchObject({ visibility })
        const { id } = (await replicas[1]!.findRepository(name))!
        expect(await replicas[1]!.deleteRepository(name, 'user:ada')).toBe(true)
        await replicas[2]!.putManifest(manifestOf(name))
        expect((await replicas[2]!.findRepository(name))?.id).not.toBe(id)
        await replicas[3]!.emptyRepositories({ limit: 100 })
      }
    } finally {
      done = true
      await pushing
    }
  })

  test('one session from all of them: each part once, and one end', async () => {
    const name = newName()
    const { id } = await openSession(replicas[0]!, name, { id: newUploadId() })
    const contents = replicas.map((_, index) => hashedContent(`part of ${index}`.padEnd(20, '.')))
    const added = await Promise.allSettled(
      replicas.map((store, index) =>
        store.addPart({ upload: id, part: partAt(id, 0, contents[index]!), lifetime: hour }),
      ),
    )
    expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of added) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'UPLOAD_OFFSET_MISMATCH' })
    }
    const ended = await Promise.all(replicas.map((store) => store.cancelUpload(name, id)))
    expect(ended.filter(Boolean)).toHaveLength(1)
  })

  test('sessions of one repository up to the limit, and not one more', async () => {
    const name = newName()
    const opened = await Promise.allSettled(
      replicas.flatMap((store) => [0, 1].map(() => openSession(store, name, { limit: 7 }))),
    )
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
    for (const result of opened) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'TOOMANYREQUESTS' })
    }
  })
})

/** What must hold in the tables whatever happened. */
async function expectWhole(cluster: PostgresCluster, { name }: DatabaseAddress): Promise<void> {
  const count = async (query: string) => Number(await cluster.sql(`SELECT count(*) FROM ${query}`, name))
  const live = 'manifest_refs AS r JOIN repository_blobs AS k USING (repository_id, digest)'
  expect(
    await count(`${live} WHERE r.live AND (k.lease_until IS NOT NULL OR k.unreferenced_since IS NOT NULL)`),
  ).toBe(0)
  // In one that was deleted manifests go before links.
  const ofLiveRepository = 'SELECT 1 FROM live_repositories AS r WHERE r.id = k.repository_id'
  const needed =
    'SELECT 1 FROM manifest_refs AS r WHERE r.live AND r.repository_id = k.repository_id AND r.digest = k.digest'
  expect(
    await count(
      `repository_blobs AS k WHERE lease_until IS NULL AND unreferenced_since IS NULL AND EXISTS (${ofLiveRepository}) AND NOT EXISTS (${needed})`,
    ),
  ).toBe(0)
  expect(
    await count('tags AS t JOIN manifests AS m ON m.id = t.manifest_id WHERE m.deleted_at IS NOT NULL'),
  ).toBe(0)
  expect(
    await count(
      'manifests AS m JOIN manifest_refs AS r ON r.manifest_id = m.id WHERE r.live <> (m.deleted_at IS NULL)',
    ),
  ).toBe(0)
  expect(
    await count('blobs AS b WHERE NOT EXISTS (SELECT 1 FROM blob_locations AS l WHERE l.blob_id = b.id)'),
  ).toBe(0)
  expect(await count('pending_deletes JOIN blob_locations USING (backend, key)')).toBe(0)
  const located = 'SELECT 1 FROM blob_locations AS l WHERE l.blob_id = k.blob_id AND l.backend = k.backend'
  expect(await count(`repository_blobs AS k WHERE NOT EXISTS (${located})`)).toBe(0)
  const closed = `JOIN live_repositories AS r ON r.id = repository_id AND r.visibility = 'private'`
  expect(await count(`repository_blobs AS k ${closed} WHERE k.backend = 'open'`)).toBe(0)
  expect(await count(`uploads AS u ${closed} WHERE u.backend = 'open' AND ended_at IS NULL`)).toBe(0)
  expect(await historyBreaks(cluster, name)).toBe(0)
}

/** Entries of the history whose "from" is not the "to" of the entry before. */
async function historyBreaks(cluster: PostgresCluster, database: string): Promise<number> {
  const chain = `SELECT from_digest, lag(to_digest) OVER (PARTITION BY h.repository_id, h.tag ORDER BY h.id) AS before
    FROM tag_history AS h JOIN live_repositories AS r ON r.id = h.repository_id`
  return Number(
    await cluster.sql(
      `SELECT count(*) FROM (${chain}) AS h WHERE from_digest IS DISTINCT FROM before`,
      database,
    ),
  )
}

async function deadlocks(cluster: PostgresCluster, { name }: DatabaseAddress): Promise<number> {
  return Number(await cluster.sql(`SELECT deadlocks FROM pg_stat_database WHERE datname = '${name}'`))
}
