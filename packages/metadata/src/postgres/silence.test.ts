import { expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Tag } from '@openregistry/oci'
import {
  describeWithPostgres,
  manifestAt,
  manifestOf,
  newName,
  PostgresProxy,
  pushManifest,
} from '@openregistry/testkit'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { migrate } from './schema.ts'
import { settingsFor } from './test-settings.ts'

const unavailable = { code: 'METADATA_UNAVAILABLE' }

/** Loses the way when this is said for the first time. */
function silentOnce(proxy: PostgresProxy, said: string): Disposable & { left: number } {
  const { run } = Connection.prototype
  const silent = { left: 1, [Symbol.dispose]: () => void (Connection.prototype.run = run) }
  Connection.prototype.run = function (text) {
    if (text === said && silent.left > 0) {
      silent.left--
      proxy.silence()
    }
    return run.call(this, text)
  }
  return silent
}

/** A way that is lost without a word: no answer, no end of the connection, as after a failover or behind a firewall. */
describeWithPostgres('silence', (cluster) => {
  const settingsThrough = async (proxy: PostgresProxy, poolSize = 4) =>
    settingsFor(
      { ...(await cluster().createDatabase()), port: proxy.port },
      { poolSize, statementTimeout: 1500, silence: 500, idleInTransaction: 500 },
    )

  async function openThrough(proxy: PostgresProxy, poolSize = 4): Promise<MetadataStore> {
    return openPostgresMetadataStore({ ...(await settingsThrough(proxy, poolSize)), autoMigrate: true })
  }

  test.each([
    ['silence before', false],
    ['silence after', true],
  ] as const)('%s a commit is done: it may have happened, and the pool is whole', async (how, happened) => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy, 1)
    const manifest = manifestOf(newName(), { tags: ['latest'] as Tag[] })
    proxy.atCommit = how
    await expect(store.putManifest(manifest)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('lost at the end of this step') as string,
    })
    proxy.atCommit = 'pass'
    // The only connection is given up; what it held at the server is nobody's matter who reads.
    const found = await manifestAt(store, manifest.repository, 'latest')
    expect(found?.digest).toBe(happened ? manifest.digest : undefined)
  })

  test('in the middle of a step: it is taken again, and nobody notices', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    const name = newName()
    await pushManifest(store, name)
    proxy.silence()
    const { digest } = await pushManifest(store, name)
    expect(await manifestAt(store, name, digest)).not.toBeNull()
  })

  test('instead of the answer to "ROLLBACK": the step is taken again, and says why it fails', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy)
    using silent = silentOnce(proxy, 'ROLLBACK')
    const manifest = manifestOf(newName(), { blobs: [manifestOf(newName()).digest] })
    await expect(store.putManifest(manifest)).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' })
    expect(silent.left).toBe(0)
  })

  test('under the question whether it is ready: it is asked again, and the only connection is not held', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    await using store = await openThrough(proxy, 1)
    using silent = silentOnce(proxy, 'SHOW transaction_read_only')
    await store.check()
    expect(silent.left).toBe(0)
  })

  test('on idle connections: closing the store does not wait for them', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    const store = await openThrough(proxy)
    await Promise.all(Array.from({ length: 20 }, () => pushManifest(store, newName())))
    expect(proxy.connections).toBe(4)
    proxy.silence()
    await store[Symbol.asyncDispose]()
  })

  test('a server that takes long for a change of the schema is waited for', async () => {
    await using proxy = await PostgresProxy.start(cluster())
    const settings = await settingsThrough(proxy)
    const slow = {
      version: 1,
      name: 'slow',
      // Longer than a statement may take, and than the client waits for one.
      statements: () => ['SELECT pg_sleep(3)'],
    }
    const connection = await Connection.open(settings)
    try {
      expect(await migrate(connection, [slow])).toStrictEqual({ from: 0, to: 1 })
    } finally {
      await connection.close()
    }
  })
})
