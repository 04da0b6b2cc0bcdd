import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { diskAlone, hashedContent, manifestAt, newName, pushBlob, pushManifest } from '@openregistry/testkit'
import { placement } from '../../migrations/0012-placement.ts'
import { schemaVersion } from '../applied-schema.ts'
import { nextRelease, releaseAfterNext } from '../future-migrations.ts'
import { openSqliteMetadataStore } from './open.ts'
import { migrate, words } from './schema.ts'
import { temporaryFolder } from './temporary-folder.ts'

function migrateAs(list: typeof nextRelease, file: string): void {
  using database = new DatabaseSync(file)
  migrate(database, file, list)
}

test.each([true, false])('the next release’s schema is accepted (auto_migrate: %s)', async (autoMigrate) => {
  await using folder = await temporaryFolder()
  const name = newName()
  {
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    await pushManifest(store, name)
  }
  migrateAs(nextRelease, folder.file)
  await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate })
  expect(await store.figures()).toMatchObject({ schemaVersion: schemaVersion + 1 })
  await store.check()
  const blob = await pushBlob(store, name)
  const { digest } = await pushManifest(store, name, { blobs: [blob.sha256] })
  expect(await manifestAt(store, name, digest)).not.toBeNull()
})

test('a schema that this release cannot work with is refused, and not touched', async () => {
  await using folder = await temporaryFolder()
  migrateAs(releaseAfterNext, folder.file)
  const before = await readFile(folder.file)
  for (const autoMigrate of [true, false]) {
    await expect(openSqliteMetadataStore({ file: folder.file, autoMigrate })).rejects.toThrow(
      `has schema ${schemaVersion + 2}, this program knows schemas up to ${schemaVersion}. Nothing was changed.`,
    )
  }
  expect((await readFile(folder.file)).equals(before)).toBe(true)
})

test('a database from before works_from was noted is brought up to date', async () => {
  await using folder = await temporaryFolder()
  migrateAs(nextRelease.slice(0, -2), folder.file)
  {
    using database = new DatabaseSync(folder.file)
    database.exec('ALTER TABLE schema_migrations DROP COLUMN works_from')
  }
  await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
  expect(await store.figures()).toMatchObject({ schemaVersion })
})

test('links from before placement name the backend that has their bytes', async () => {
  await using folder = await temporaryFolder()
  const name = newName()
  const both = hashedContent()
  {
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const elsewhere = { rules: { ...diskAlone, backends: ['s3'] } }
    await pushBlob(store, name, hashedContent(), elsewhere)
    await pushBlob(store, name, both, elsewhere)
    await pushBlob(store, newName(), both)
    await pushBlob(store, name)
    const small = hashedContent()
    await pushBlob(store, name, small, { stored: { kind: 'inline', bytes: small.bytes } })
  }
  using database = new DatabaseSync(folder.file)
  // As a column with a default leaves them.
  database.exec(`UPDATE repository_blobs SET backend = 'disk'`)
  const [correction] = placement.statements(words).filter((statement) => statement.startsWith('UPDATE'))
  database.exec(correction ?? '')
  const counted = database.prepare('SELECT backend, count(*) AS count FROM repository_blobs GROUP BY backend')
  expect(counted.all().map((row) => ({ ...row }))).toStrictEqual([
    { backend: 'disk', count: 4 },
    { backend: 's3', count: 1 },
  ])
})
