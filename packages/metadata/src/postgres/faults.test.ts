import { setImmediate as turn } from 'node:timers/promises'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Tag } from '@openregistry/oci'
import {
  describeWithPostgres,
  diskAlone,
  manifestAt,
  manifestOf,
  newName,
  openSession,
  PostgresProxy,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import type { PostgresSettings } from './settings.ts'
import { settingsFor } from './test-settings.ts'

const unavailable = { code: 'METADATA_UNAVAILABLE' }

function open(settings: PostgresSettings): Promise<MetadataStore> {
  return openPostgresMetadataStore({ ...settings, autoMigrate: true })
}

describeWithPostgres('a server that says no', (cluster) => {
  const over = async (changes: Partial<PostgresSettings>) =>
    settingsFor(await cluster().createDatabase(), { connectTimeout: 3000, ...changes })

  test.each<[string, Partial<PostgresSettings>, RegExp]>([
    [
      'a wrong password',
      { password: 'wrong' },
      /password of user "postgres" is wrong; check db\.user and db\.password/,
    ],
    ['no password', { password: null }, /asks user "postgres" for a password; set db\.password/],
    ['an unknown user', { user: 'nobody' }, /password of user "nobody" is wrong/],
    [
      'a database that is missing',
      { database: 'none' },
      /no such database; create it: createdb --owner=postgres none/,
    ],
    ['a port where nobody listens', { port: 1 }, /nobody listens there; start the server, or check db\.host/],
    [
      'an unknown host',
      { host: 'nowhere.invalid' },
      /the name nowhere\.invalid is not known; check db\.host/,
    ],
    ['TLS where there is none', { tls: {} }, /does not offer TLS/],
  ])('%s: the message says what to do', async (_what, changes, expected) => {
    const error = await open(await over(changes)).catch((reason: unknown) => reason)
    expect(error).toMatchObject(unavailable)
    expect((error as Error).message).toMatch(expected)
    expect((error as Error).message).not.toContain(cluster().password)
  })

  test('a database of another program, and one of another encoding', async () => {
    const used = await cluster().createDatabase()
    await cluster().sql('CREATE TABLE mine (id int)', used.name)
    await expect(open(settingsFor(used))).rejects.toThrow(/tables of another program/)
    expect(
      await cluster().sql('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()', used.name),
    ).toBe('mine')
    await cluster().sql(
      `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
    )
    await expect(open(settingsFor({ ...used, name: 'latin' }))).rejects.toThrow(
      /encoding LATIN1, it needs UTF8/,
    )
  })

  test('a server that takes no changes', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address))
    const name = newName()
    await openSession(store, name)
    await cluster().sql(`ALTER DATABASE ${address.name} SET default_transaction_read_only = on`)
    await using standby = await openPostgresMetadataStore({ ...settingsFor(address), autoMigrate: false })
    expect(await standby.findRepository(name)).toMatchObject({ name })
    await expect(openSession(standby, name)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('it is a standby, or set to read-only') as string,
    })
    await expect(standby.check()).rejects.toMatchObject(unavailable)
    // Another server may have taken over: the next step asks a fresh connection.
    await cluster().sql(`ALTER DATABASE ${address.name} SET default_transaction_read_only = off`)
    await openSession(standby, name)
  })

  test('too many connections: what is there is shared, and the message names max_connections', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address))
    await openSession(store, newName())
    await cluster().sql(`ALTER DATABASE ${address.name} CONNECTION LIMIT 0`)
    const limited = { ...settingsFor(address, { connectTimeout: 3000 }), user: 'plain' }
    await cluster().sql(`CREATE ROLE plain LOGIN PASSWORD '${address.password}'`)
    await expect(open(limited)).rejects.toThrow(
      /no connection left; raise its max_connections, or lower db\.pool_size/,
    )
    await Promise.all(Array.from({ length: 50 }, () => store.check()))
  })
})

describeWithPostgres('limits', (cluster) => {
  test('whoever waits too long for a lock gives up, and the next one works', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address, { lockTimeout: 100 }))
    const name = newName()
    await pushManifest(store, name)
    const free = await hold(address, 'SELECT id FROM repositories FOR UPDATE')
    await expect(store.setVisibility(name, 'public', diskAlone)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('db.lock_timeout') as string,
    })
    await free()
    expect(await store.setVisibility(name, 'public', diskAlone)).toMatchObject({ visibility: 'public' })
  })

  test('steps that wait leave connections to reads', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address, { poolSize: 4 }))
    const name = newName()
    await pushManifest(store, name)
    const free = await hold(address, 'SELECT id FROM repositories FOR UPDATE')
    const waiting = Promise.all(
      Array.from({ length: 12 }, () => store.setVisibility(name, 'public', diskAlone)),
    )
    for (let count = 0; count < 50; count++)
      expect(await store.findRepository(name)).toMatchObject({ visibility: 'private' })
    await free()
    await waiting
    expect(await store.findRepository(name)).toMatchObject({ visibility: 'public' })
  })

  test('a statement that takes too long is ended by the server', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address, { statementTimeout: 100, lockTimeout: 0 }))
    const name = newName()
    await pushManifest(store, name)
    const free = await hold(address, 'SELECT id FROM repositories FOR UPDATE')
    await expect(store.setVisibility(name, 'public', diskAlone)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('db.statement_timeout') as string,
    })
    await free()
    await store.check()
  })

  test('a look over everything may take longer than any other statement', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address, { statementTimeout: 100, lockTimeout: 0 }))
    const free = await hold(address, 'LOCK TABLE manifests')
    const preview = store.previewCollection(0, 10)
    // Began later, and was given up.
    await expect(manifestAt(store, newName(), 'latest')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('db.statement_timeout') as string,
    })
    await free()
    expect(await preview).toMatchObject({ content: [] })
    // The next one on that connection has the usual limit.
    const again = await hold(address, 'LOCK TABLE manifests')
    await expect(manifestAt(store, newName(), 'latest')).rejects.toMatchObject(unavailable)
    await again()
  })

  test('no more connections than the pool may have', async () => {
    const address = await cluster().createDatabase()
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await open(settingsFor({ ...address, port: proxy.port }, { poolSize: 3 }))
    const name = newName()
    await Promise.all(Array.from({ length: 60 }, () => pushManifest(store, name)))
    expect(proxy.connections).toBeLessThanOrEqual(3)
  })
})

describeWithPostgres('connections that are cut', (cluster) => {
  async function openThrough(proxy: PostgresProxy): Promise<MetadataStore> {
    const address = await cluster().createDatabase()
    return open(settingsFor({ ...address, port: proxy.port }, { poolSize: 4 }))
  }

  test('before a commit: the step is taken again, and nobody notices', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    proxy.atCommit = 'cut before'
    const cut = pushManifest(store, name).catch((error: unknown) => error)
    expect(await cut).toMatchObject(unavailable)
    proxy.atCommit = 'pass'
    expect(await store.findRepository(name)).toBeNull()
    const pushes = Array.from({ length: 40 }, () => pushManifest(store, name))
    for (let count = 0; count < 5; count++) {
      await turn()
      proxy.cut()
    }
    const settled = await Promise.allSettled(pushes)
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject(unavailable)
      else expect(await manifestAt(store, name, result.value.digest)).not.toBeNull()
    }
  })

  test.each([
    ['instead of the answer to a commit', 'cut after'],
    ['by a server that crashes at a commit', 'crash after'],
  ] as const)('%s: the outcome is unknown, and what was acknowledged is there', async (_what, how) => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    const manifest = manifestOf(name, { tags: ['latest'] as Tag[] })
    proxy.atCommit = how
    await expect(store.putManifest(manifest)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('lost at the end of this step') as string,
    })
    proxy.atCommit = 'pass'
    // A client that tries again finds the same state either way.
    await store.putManifest(manifest)
    expect((await manifestAt(store, name, 'latest'))?.digest).toBe(manifest.digest)
  })

  test('under reads: they are done again on a fresh connection', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    await pushManifest(store, name)
    const before = proxy.connections
    for (let count = 0; count < 10; count++) {
      const reads = Promise.all(Array.from({ length: 4 }, () => store.findRepository(name)))
      proxy.cut()
      for (const found of await reads) expect(found).toMatchObject({ name })
    }
    expect(proxy.connections).toBeGreaterThan(before)
  })

  test('while they are opened: another one is opened, and nobody notices', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    await pushManifest(store, name)
    proxy.endedAtStart = 3
    proxy.cut()
    const reads = Array.from({ length: 4 }, () => store.findRepository(name))
    for (const found of await Promise.all(reads)) expect(found).toMatchObject({ name })
    expect(proxy.endedAtStart).toBe(0)
  })

  test('by the server: an administrator ends them all', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    await pushManifest(store, name)
    const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'openregistry'`
    for (let count = 0; count < 3; count++) {
      const reads = Array.from({ length: 10 }, () => store.findRepository(name))
      await cluster().sql(end)
      for (const found of await Promise.all(reads)) expect(found).toMatchObject({ name })
      await pushManifest(store, name)
    }
  })
})

describeWithPostgres('a server that is stopped', (cluster) => {
  test.each(['fast', 'immediate'] as const)(
    '%s, and started again: the store goes on by itself',
    async (how) => {
      const address = await cluster().createDatabase()
      await using store = await open(settingsFor(address, { connectTimeout: 10_000 }))
      const name = newName()
      const kept = await pushManifest(store, name)
      await cluster().stop(how)
      // Whoever asks while it is away waits for it.
      const [read, step] = [manifestAt(store, name, kept.digest), pushManifest(store, name)]
      await cluster().start()
      expect(await read).not.toBeNull()
      expect(await manifestAt(store, name, (await step).digest)).not.toBeNull()
    },
  )

  test('for longer than anybody waits: 503, and one attempt at a time', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(settingsFor(address, { connectTimeout: 300 }))
    await cluster().stop()
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => store.check()))
    for (const result of asked) {
      expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
    }
    await cluster().start()
    const answers = () =>
      store.check().then(
        () => true,
        () => false,
      )
    await expect.poll(answers, { timeout: 20_000 }).toBe(true)
  })
})

/** Locks every repository in a transaction of its own; gives what ends it. */
async function hold(
  { host, port, user, password, name }: DatabaseAddress,
  lock: string,
): Promise<() => Promise<void>> {
  const client = new Client({ host, port, user, password, database: name })
  await client.connect()
  await client.query('BEGIN')
  await client.query(lock)
  return async () => {
    await client.query('ROLLBACK')
    await client.end()
  }
}
