import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mediaTypes, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import type { MetadataStore } from '@openregistry/core'
import {
  describeWithPostgres,
  diskAlone,
  manifestAt,
  manifestOf,
  newName,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { operations, type OperationInput, type OperationName, type OperationResult } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { postgresSql } from './postgres-dialect.ts'
import { runAlone } from './run-transaction.ts'
import { settingsFor } from './test-settings.ts'

/** A step that has done all but its commit. */
interface Held<T> {
  value: T
  commit(): Promise<void>
}

const now = { grace: 0, limit: 10 }
const companionOf = (subject: Digest): Tag => `${subject.replace(':', '-')}.sig` as Tag

/*
 * Moments that random steps seldom meet: one step stands just before its commit, and the other one runs until it is done,
 * or waits for the first.
 */
describeWithPostgres('the collector and another step at the same moment', (cluster) => {
  let address: DatabaseAddress
  let store: MetadataStore
  let watcher: Connection
  const connections: Connection[] = []
  const connect = async (): Promise<Connection> => {
    const connection = await Connection.open(settingsFor(address))
    connections.push(connection)
    return connection
  }
  beforeAll(async () => {
    address = await cluster().createDatabase()
    store = await openPostgresMetadataStore({ ...settingsFor(address), autoMigrate: true })
    watcher = await connect()
  })
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await store[Symbol.asyncDispose]()
  })

  async function hold<N extends OperationName>(
    name: N,
    ...input: OperationInput<N>
  ): Promise<Held<OperationResult<N>>> {
    const connection = await connect()
    const start = operations[name] as (...input: readonly unknown[]) => Step<OperationResult<N>>
    await connection.run('BEGIN ISOLATION LEVEL READ COMMITTED')
    const value = await runAlone(connection, start(postgresSql, ...input))
    return { value, commit: async () => void (await connection.run('COMMIT')) }
  }

  /** Runs `other` as far as it comes beside what is held, then commits that, and gives what `other` answers. */
  async function meet<T>(held: Held<unknown>, other: Promise<T>): Promise<T> {
    let isDone = false
    const done = other.finally(() => (isDone = true))
    const waiting = {
      text: `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
      values: [address.name],
    }
    while (!isDone && (await watcher.all(waiting)).length === 0);
    await held.commit()
    return done
  }

  /** A subject whose grace is over, and a referrer that was there before its deletion. */
  async function pushAttached(name: RepositoryName) {
    const subject = await pushManifest(store, name)
    const referrer = await pushManifest(store, name, { subject: subject.digest })
    await store.deleteManifest(name, subject.digest, 'user:ada')
    return { subject, referrer }
  }

  const indexOf = (name: RepositoryName, child: Digest) =>
    manifestOf(name, {
      references: [{ digest: child, kind: 'manifest' }],
      mediaType: mediaTypes.ociIndex,
    })

  describe('a referrer stays', () => {
    test('with the tag that is being pushed', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const push = await hold('putManifest', { ...referrer, tags: ['keep' as Tag] })
      await meet(push, store.collectManifests(now))
      await store.collectManifests(now)
      expect((await manifestAt(store, name, 'keep'))?.digest).toBe(referrer.digest)
    })

    test('that is being pushed again', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      await meet(await hold('putManifest', referrer), store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })

    test('with the index that is being pushed and found it', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const push = await hold('putManifest', indexOf(name, referrer.digest))
      expect(push.value).toStrictEqual({ missing: [] })
      await meet(push, store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })

    test('with the index that is being restored and found it', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const index = indexOf(name, referrer.digest)
      await store.putManifest(index)
      await store.deleteManifest(name, index.digest, 'user:ada')
      const wanted = {
        repository: name,
        digest: index.digest,
        tag: null,
        principal: 'user:ada',
        rules: diskAlone,
      }
      const restore = await hold('restoreManifest', wanted)
      expect(restore.value).toMatchObject({ missing: [] })
      await meet(restore, store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })

    test('when its subject is being pushed again', async () => {
      const name = newName()
      const { subject, referrer } = await pushAttached(name)
      await meet(await hold('putManifest', subject), store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })
  })

  describe('a referrer that is being taken', () => {
    test('is missing to an index that comes at the same moment', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const collected = await hold('collectManifests', now)
      expect(collected.value).toMatchObject({ more: true })
      const { missing } = await meet(collected, store.putManifest(indexOf(name, referrer.digest)))
      expect(missing).toStrictEqual([referrer.digest])
    })

    test('is back when it is pushed at the same moment', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const collected = await hold('collectManifests', now)
      await meet(collected, store.putManifest({ ...referrer, tags: ['keep' as Tag] }))
      await store.collectManifests(now)
      expect((await manifestAt(store, name, 'keep'))?.digest).toBe(referrer.digest)
    })
  })

  test('a tag of a signature that is being moved stays, and so does what it names now', async () => {
    const name = newName()
    const subject = await pushManifest(store, name)
    const tag = companionOf(subject.digest)
    const before = await pushManifest(store, name, { tags: [tag] })
    const after = manifestOf(name, { tags: [tag] })
    await store.deleteManifest(name, subject.digest, 'user:ada')
    await meet(await hold('putManifest', after), store.collectManifests(now))
    await store.collectManifests(now)
    expect((await manifestAt(store, name, tag))?.digest).toBe(after.digest)
    // Untagged by the push, and not by the collector.
    expect(await manifestAt(store, name, before.digest)).not.toBeNull()
  })
})
