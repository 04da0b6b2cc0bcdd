import { Client } from 'pg'
import { expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import {
  blobAt,
  describeWithPostgres,
  manifestAt,
  newName,
  pushBlob,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import type { Migration } from '../../migrations/index.ts'
import { schemaVersion } from '../applied-schema.ts'
import { nextRelease, releaseAfterNext } from '../future-migrations.ts'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { migrate } from './schema.ts'
import { settingsFor } from './test-settings.ts'

async function migrateAs(list: readonly Migration[], address: DatabaseAddress): Promise<void> {
  const connection = await Connection.open(settingsFor(address))
  await migrate(connection, list)
  await connection.close()
}

function open(address: DatabaseAddress, autoMigrate = true): Promise<MetadataStore> {
  return openPostgresMetadataStore({ ...settingsFor(address), autoMigrate })
}

/** A push and a pull. */
async function use(store: MetadataStore): Promise<void> {
  const name = newName()
  const blob = await pushBlob(store, name)
  const { digest } = await pushManifest(store, name, { blobs: [blob.sha256] })
  expect(await manifestAt(store, name, digest)).not.toBeNull()
  expect(await blobAt(store, name, blob.sha256)).not.toBeNull()
}

describeWithPostgres('rolling upgrades', (cluster) => {
  test('replicas go on while the next release changes the schema, and may restart', async () => {
    const address = await cluster().createDatabase()
    await using old = await open(address)
    let done = false
    const traffic = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!done) await use(old)
      }),
    )
    try {
      await Promise.all([migrateAs(nextRelease, address), migrateAs(nextRelease, address)])
      for (const autoMigrate of [true, false]) {
        await using restarted = await open(address, autoMigrate)
        expect(await restarted.figures()).toMatchObject({ schemaVersion: schemaVersion + 1 })
        await restarted.check()
        await use(restarted)
      }
    } finally {
      done = true
      await traffic
    }
  })

  test('a schema that this release cannot work with is refused, and not touched', async () => {
    const address = await cluster().createDatabase()
    await migrateAs(releaseAfterNext, address)
    const tables = () =>
      cluster().sql(`SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class`, address.name)
    const before = await tables()
    for (const autoMigrate of [true, false]) {
      await expect(open(address, autoMigrate)).rejects.toThrow(
        `has schema ${schemaVersion + 2}, this program knows schemas up to ${schemaVersion}. Nothing was changed.`,
      )
    }
    expect(await tables()).toBe(before)
  })

  test('an older schema is left alone unless it may be changed', async () => {
    const address = await cluster().createDatabase()
    await expect(open(address, false)).rejects.toThrow(
      /has schema 0, this program needs schema \d+\. Run "openregistry/,
    )
    expect(
      await cluster().sql('SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()', address.name),
    ).toBe('0')
  })

  test('a change waits for whoever reads a table for long, without holding up the others', async () => {
    const address = await cluster().createDatabase()
    await using store = await open(address)
    await use(store)
    const { host, port, user, password, name } = address
    const dump = new Client({ host, port, user, password, database: name })
    await dump.connect()
    await dump.query('BEGIN')
    await dump.query('SELECT count(*) FROM manifests')
    const migrated = migrateAs(nextRelease, address)
    // Each attempt ends before anybody's patience does.
    for (let count = 0; count < 5; count++) await use(store)
    await dump.query('COMMIT')
    await dump.end()
    await migrated
    await use(store)
  })
})
