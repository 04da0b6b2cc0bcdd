import type { MetadataStore } from '@openregistry/core'
import {
  describeWithPostgres,
  diskAlone,
  hashedContent,
  newName,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import type { RepositoryName, Tag } from '@openregistry/oci'
import { expect, test, vi } from 'vitest'
import type { Query } from '../sql/query.ts'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

const subject = hashedContent('subject').sha256
const latest = 'latest' as Tag

/** Asks for every list, on each way through it that has a statement of its own. */
async function listEverything(store: MetadataStore): Promise<void> {
  const name = newName()
  const page = { after: null, limit: 10 }
  await pushManifest(store, name, { subject, artifactType: 'application/x', tags: [latest] })
  await store.listTags(name, page)
  await store.listTagNames(name, page)
  await store.listTagHistory(name, null, page)
  await store.listTagHistory(name, latest, page)
  await store.listReferrers(name, subject, null, page)
  await store.listReferrers(name, subject, 'application/x', page)
  await store.listRepositories({ kind: 'all' }, page)
  await store.listRepositories({ kind: 'public' }, page)
}

/** What pushes, pulls and the collector ask for. */
async function work(store: MetadataStore, name: RepositoryName): Promise<void> {
  const blob = await pushBlob(store, name)
  const image = await pushManifest(store, name, { blobs: [blob.sha256], tags: [latest] })
  await pushManifest(store, name, { references: [{ digest: image.digest, kind: 'manifest' }] })
  await store.findManifest(name, { kind: 'tag', tag: latest }, { bytes: true })
  await store.findManifest(name, { kind: 'digest', digest: image.digest }, { bytes: true })
  await store.findBlob(name, blob.sha256)
  await store.findMountSource('nobody', blob.sha256)
  const session = await openSession(store, name)
  await store.addPart({ upload: session.id, part: partAt(session.id, 0, hashedContent()), lifetime: 1000 })
  await store.listParts(session.id)
  await store.cancelUpload(name, (await openSession(store, name)).id)
  await pushBlob(store, name, hashedContent(), { lease: 0 })
  await store.deleteManifest(name, image.digest, 'user:ada')
  for (let turn = 0; turn < 2; turn++) {
    await store.collectManifests({ grace: 0, limit: 10 })
    await store.collectLinks({ grace: 0, limit: 10 })
    await store.collectBlobs({ limit: 10, rules: diskAlone })
  }
  const pending = await store.listPendingDeletes(10)
  await store.forgetPendingDeletes(pending.map(({ id }) => id))
  await store.expireUploads(10)
}

/** Statements that the store runs meanwhile, by their text. */
async function queriesOf(use: () => Promise<void>): Promise<Map<string, Query>> {
  const queries = new Map<string, Query>()
  const original = Connection.prototype.all
  const spy = vi.spyOn(Connection.prototype, 'all').mockImplementation(function (this: Connection, query) {
    queries.set(query.text, query)
    return original.call(this, query)
  })
  try {
    await use()
  } finally {
    spy.mockRestore()
  }
  return queries
}

/** Links that were read since the statistics were reset. */
async function linksRead(connection: Connection): Promise<number> {
  await connection.run('SELECT pg_stat_clear_snapshot()')
  const [row] = await connection.run(`
    SELECT sum(idx_tup_read) AS read FROM pg_stat_user_indexes WHERE relname = 'repository_blobs'`)
  return Number(row?.['read'])
}

/** Links of one repository to one blob, under digests that were made up. */
async function addLinks(connection: Connection, name: RepositoryName, count: number): Promise<void> {
  await connection.run(`
    INSERT INTO repository_blobs (repository_id, digest, blob_id, namespace)
    SELECT r.id, 'sha256:' || encode(sha256(number::text::bytea), 'hex'), b.id, 'some'
    FROM repositories AS r, (SELECT min(id) AS id FROM blobs) AS b, generate_series(1, ${count}) AS number
    WHERE r.name = '${name}'`)
}

/** What is read of links while a store is used, with all of its plans. */
async function linksReadBy(
  address: DatabaseAddress,
  use: (store: MetadataStore) => Promise<void>,
): Promise<number> {
  const connection = await Connection.open(settingsFor(address))
  try {
    const before = await linksRead(connection)
    {
      const settings = settingsFor(address, { poolSize: 1 })
      await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
      await use(store)
    }
    // A session says what it read when it ends, which takes a moment.
    await expect.poll(() => otherSessions(connection)).toBe(0)
    return (await linksRead(connection)) - before
  } finally {
    await connection.close()
  }
}

async function otherSessions(connection: Connection): Promise<number> {
  const [row] = await connection.run(`
    SELECT count(*) AS count FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`)
  return Number(row?.['count'])
}

describeWithPostgres('plans of PostgreSQL', (cluster) => {
  test('no request walks through a table, were it planned while that was empty', async () => {
    const settings = settingsFor(await cluster().createDatabase())
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    const queries = await queriesOf(() => work(store, newName()))
    expect(queries.size).toBeGreaterThan(40)
    const connection = await Connection.open(settings)
    try {
      for (const { text, values } of queries.values()) {
        const plan = await connection.all({ text: `EXPLAIN ${text}`, values })
        const lines = plan.map((row) => String(row['QUERY PLAN']))
        expect(
          lines.filter((line) => line.includes('Seq Scan')),
          `${lines.join('\n')}\n${text}`,
        ).toStrictEqual([])
      }
    } finally {
      await connection.close()
    }
  })

  test('a push reads no more in a repository that has much', async () => {
    const address = await cluster().createDatabase()
    const name = newName()
    // Often enough for the server to settle for a plan, while there is next to nothing.
    const often = async (store: MetadataStore): Promise<void> => {
      for (let turn = 0; turn < 8; turn++) await work(store, name)
    }
    const few = await linksReadBy(address, async (store) => {
      await often(store)
      await work(store, name)
    })
    const many = await linksReadBy(address, async (store) => {
      await often(store)
      const other = newName()
      await pushBlob(store, other)
      const connection = await Connection.open(settingsFor(address))
      await addLinks(connection, other, 5000)
      // It looks as if all that there is were in the other one.
      await connection.run('ANALYZE')
      await addLinks(connection, name, 5000)
      await connection.close()
      await work(store, name)
    })
    expect(many).toBeLessThan(few + 1000)
  })

  test('no list sorts all that could follow its page', async () => {
    const settings = settingsFor(await cluster().createDatabase())
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    const queries = await queriesOf(() => listEverything(store))
    const lists = [...queries.values()].filter(
      ({ text }) => /\b(LIMIT|OFFSET) \$/.test(text) && !/FOR UPDATE/.test(text),
    )
    expect(lists.length).toBeGreaterThanOrEqual(8)
    const connection = await Connection.open(settings)
    try {
      // What is left of these with the price so high is what the statement cannot do without.
      for (const way of ['sort', 'seqscan', 'bitmapscan']) await connection.run(`SET enable_${way} = off`)
      for (const { text, values } of lists) {
        const plan = await connection.all({ text: `EXPLAIN ${text}`, values })
        const lines = plan.map((row) => String(row['QUERY PLAN']))
        expect(
          lines.filter((line) => /\bSort\b/.test(line)),
          `${lines.join('\n')}\n${text}`,
        ).toStrictEqual([])
      }
    } finally {
      await connection.close()
    }
  })
})
