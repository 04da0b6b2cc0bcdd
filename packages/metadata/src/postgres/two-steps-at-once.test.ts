import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mediaTypes, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import type { MetadataStore } from '@openregistry/core'
import {
  blobAt,
  commitOf,
  describeWithPostgres,
  diskAlone,
  hashedContent,
  manifestAt,
  manifestOf,
  newName,
  openSession,
  pushBlob,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { operations, type OperationInput, type OperationName, type OperationResult } from '../operations.ts'
import type { Query, Step } from '../sql/query.ts'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { postgresSql } from './postgres-dialect.ts'
import { runAlone } from './run-transaction.ts'
import { settingsFor } from './test-settings.ts'

/** A step that stands still. */
interface Held<T> {
  /** What it will answer; null while that is not known. */
  value: T | null
  commit(): Promise<void>
}

const now = { grace: 0, limit: 10 }
const companionOf = (subject: Digest): Tag => `${subject.replace(':', '-')}.sig` as Tag

/*
 * Moments that random steps seldom meet: one step stands just before its commit, and the other one runs until it is done,
 * or waits for the first.
 */
describeWithPostgres('two steps at the same moment', (cluster) => {
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

  /** Takes a step until all but its commit is done, or until a statement like this is about to be sent. */
  async function hold<N extends OperationName>(
    name: N,
    input: OperationInput<N>,
    before?: RegExp,
  ): Promise<Held<OperationResult<N>>> {
    const connection = await connect()
    const start = operations[name] as (...input: readonly unknown[]) => Step<OperationResult<N>>
    const step = start(postgresSql, ...input)
    await connection.run('BEGIN ISOLATION LEVEL READ COMMITTED')
    const turn = await runAlone(connection, untilBefore(step, before))
    return {
      value: turn.done === true ? turn.value : null,
      async commit() {
        await runAlone(connection, theRest(step, turn))
        await connection.run('COMMIT')
      },
    }
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
      const push = await hold('putManifest', [{ ...referrer, tags: ['keep' as Tag] }])
      await meet(push, store.collectManifests(now))
      await store.collectManifests(now)
      expect((await manifestAt(store, name, 'keep'))?.digest).toBe(referrer.digest)
    })

    test('that is being pushed again', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      await meet(await hold('putManifest', [referrer]), store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })

    test('with the index that is being pushed and found it', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const push = await hold('putManifest', [indexOf(name, referrer.digest)])
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
      const restore = await hold('restoreManifest', [wanted])
      expect(restore.value).toMatchObject({ missing: [] })
      await meet(restore, store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })

    test('when its subject is being pushed again', async () => {
      const name = newName()
      const { subject, referrer } = await pushAttached(name)
      await meet(await hold('putManifest', [subject]), store.collectManifests(now))
      await store.collectManifests(now)
      expect(await manifestAt(store, name, referrer.digest)).not.toBeNull()
    })
  })

  describe('a referrer that is being taken', () => {
    test('is missing to an index that comes at the same moment', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const collected = await hold('collectManifests', [now])
      expect(collected.value).toMatchObject({ more: true })
      const { missing } = await meet(collected, store.putManifest(indexOf(name, referrer.digest)))
      expect(missing).toStrictEqual([referrer.digest])
    })

    test('is back when it is pushed at the same moment', async () => {
      const name = newName()
      const { referrer } = await pushAttached(name)
      const collected = await hold('collectManifests', [now])
      await meet(collected, store.putManifest({ ...referrer, tags: ['keep' as Tag] }))
      await store.collectManifests(now)
      expect((await manifestAt(store, name, 'keep'))?.digest).toBe(referrer.digest)
    })
  })

  test('a job that is being leased is left to whoever was first, and not waited for', async () => {
    const ask = (token: string) => ({ kinds: ['held'], token, lease: 3_600_000 })
    await store.enqueueJob({ kind: 'held', key: null, payload: '', delay: 0 })
    const first = await hold('leaseJob', [ask('first')])
    expect(first.value).toMatchObject({ kind: 'held', attempts: 1 })
    expect(await store.leaseJob(ask('second'))).toBeNull()
    await first.commit()
  })

  describe('links and blobs', () => {
    test('a blob whose lease is over stays with the manifest that is being pushed', async () => {
      const name = newName()
      const blob = await pushBlob(store, name, hashedContent(), { lease: 0 })
      const manifest = manifestOf(name, { blobs: [blob.sha256] })
      await meet(await hold('putManifest', [manifest]), store.collectLinks(now))
      await store.collectLinks(now)
      expect(await blobAt(store, name, blob.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
    })

    test('a blob whose lease is being renewed stays', async () => {
      const name = newName()
      const blob = await pushBlob(store, name, hashedContent(), { lease: 0 })
      const { id } = (await store.findRepository(name))!
      await meet(await hold('renewLease', [id, blob.sha256, 3_600_000]), store.collectLinks(now))
      expect(await blobAt(store, name, blob.sha256)).not.toBeNull()
    })

    test('a blob that is being taken is missing to a manifest that comes at the same moment', async () => {
      const name = newName()
      const blob = await pushBlob(store, name, hashedContent(), { lease: 0 })
      const collected = await hold('collectLinks', [now])
      const push = store.putManifest(manifestOf(name, { blobs: [blob.sha256] }))
      await expect(meet(collected, push)).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' })
    })

    test('content that is about to be linked is left alone, and waited for by nobody', async () => {
      const [name, other] = [newName(), newName()]
      const blob = await pushBlob(store, name, hashedContent(), { lease: 0 })
      // What other tests have left.
      while ((await store.collectBlobs({ limit: 100, rules: diskAlone })).blobs > 0);
      await store.collectLinks(now)
      const { id } = await openSession(store, other)
      const push = await hold('commitBlob', [commitOf(id, blob)], /INSERT INTO repository_blobs/)
      expect(await store.collectBlobs({ limit: 10, rules: diskAlone })).toMatchObject({ blobs: 0 })
      await push.commit()
      expect(await blobAt(store, other, blob.sha256)).toMatchObject({ location: { kind: 'object' } })
    })
  })

  test('a tag of a signature that is being moved stays, and so does what it names now', async () => {
    const name = newName()
    const subject = await pushManifest(store, name)
    const tag = companionOf(subject.digest)
    const before = await pushManifest(store, name, { tags: [tag] })
    const after = manifestOf(name, { tags: [tag] })
    await store.deleteManifest(name, subject.digest, 'user:ada')
    await meet(await hold('putManifest', [after]), store.collectManifests(now))
    await store.collectManifests(now)
    expect((await manifestAt(store, name, tag))?.digest).toBe(after.digest)
    // Untagged by the push, and not by the collector.
    expect(await manifestAt(store, name, before.digest)).not.toBeNull()
  })
})

type Turn<T> = IteratorResult<Query | readonly Query[], T>

function* untilBefore<T>(step: Step<T>, pattern: RegExp | undefined): Step<Turn<T>> {
  let turn = step.next([])
  while (turn.done !== true && !('text' in turn.value && pattern?.test(turn.value.text)))
    turn = step.next(yield turn.value)
  return turn
}

function* theRest<T>(step: Step<T>, from: Turn<T>): Step<T> {
  let turn = from
  while (turn.done !== true) turn = step.next(yield turn.value)
  return turn.value
}
