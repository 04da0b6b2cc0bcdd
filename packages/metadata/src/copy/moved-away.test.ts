import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { newBackendIdentity, type MetadataStore } from '@openregistry/core'
import type { Tag } from '@openregistry/oci'
import {
  describeWithPostgres,
  hashedContent,
  manifestAt,
  newName,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
} from '@openregistry/testkit'
import { describePlace } from '../postgres/settings.ts'
import { openPostgresMetadataStore } from '../postgres/open.ts'
import { settingsFor } from '../postgres/test-settings.ts'
import { migrateSqlite, openSqliteMetadataStore } from '../sqlite/open.ts'
import { temporaryFolder } from '../sqlite/temporary-folder.ts'
import { copyToPostgres } from './copy-to-postgres.ts'
import { readMove, undoMove } from './moved-away.ts'
import { CopySource } from './source.ts'

const disk = 'disk'
const latest = ['latest'] as Tag[]

/** A registry with an image and an open upload, whose backend has an identity. */
async function fill(file: string) {
  await using store = await openSqliteMetadataStore({ file, autoMigrate: true })
  const name = newName()
  const identity = await store.tieBackend({ backend: disk, identity: newBackendIdentity() })
  const blob = await pushBlob(store, name)
  await pushManifest(store, name, { blobs: [blob.sha256], tags: latest })
  const { id } = await openSession(store, name)
  await store.addPart({ upload: id, part: partAt(id, 0, hashedContent('a part')), lifetime: 3_600_000 })
  return { name, identity, upload: id }
}

const openFile = (file: string): Promise<MetadataStore> =>
  openSqliteMetadataStore({ file, autoMigrate: false })

describeWithPostgres('a database that was moved', (cluster) => {
  test('is refused by everything, with the place where it is now and the way back', async () => {
    await using folder = await temporaryFolder()
    const { name, identity } = await fill(folder.file)
    const settings = settingsFor(await cluster().createDatabase())
    await copyToPostgres(folder.file, settings)
    const place = describePlace(settings)
    expect(readMove(folder.file)).toBe(place)
    const opening = [
      () => openFile(folder.file),
      () => openSqliteMetadataStore({ file: folder.file, autoMigrate: true, exclusive: true }),
      () => migrateSqlite(folder.file),
    ]
    for (const open of opening) {
      const refusal = await open().then(
        () => 'opened',
        (error: Error) => error.message,
      )
      expect(refusal).toContain(`was moved to ${place}`)
      expect(refusal).toContain('openregistry migrate --undo-move')
      expect(refusal).not.toContain(settings.password)
    }
    // The other one knows the backend by the same identity.
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: false })
    expect(await store.findBackendIdentity(disk)).toBe(identity)
    expect(await manifestAt(store, name, 'latest')).not.toBeNull()
  })

  test('is refused by releases that do not know the mark', async () => {
    await using folder = await temporaryFolder()
    await fill(folder.file)
    await copyToPostgres(folder.file, settingsFor(await cluster().createDatabase()))
    using database = new DatabaseSync(folder.file, { readOnly: true })
    const newest = database
      .prepare('SELECT version, works_from FROM schema_migrations ORDER BY version DESC LIMIT 1')
      .get()
    // They accept a newer schema when it says that it works from one that they know.
    expect(newest?.['works_from']).toBe(newest?.['version'])
    expect(Number(newest?.['version'])).toBeGreaterThan(1_000_000)
  })

  test('goes on to the same place alone when it was marked and not finished', async () => {
    await using folder = await temporaryFolder()
    const { name } = await fill(folder.file)
    const settings = settingsFor(await cluster().createDatabase())
    {
      using source = new CopySource(folder.file, describePlace(settings))
      source.markMoved()
    }
    const elsewhere = settingsFor(await cluster().createDatabase())
    await expect(copyToPostgres(folder.file, elsewhere)).rejects.toThrow(
      `was moved to ${describePlace(settings)}`,
    )
    await copyToPostgres(folder.file, settings)
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: false })
    expect(await manifestAt(store, name, 'latest')).not.toBeNull()
  })

  test('is not changed while it is copied, nor gives objects up afterwards, by a command that had it open', async () => {
    await using folder = await temporaryFolder()
    const { name, upload } = await fill(folder.file)
    await using command = await openSqliteMetadataStore({
      file: folder.file,
      autoMigrate: false,
      lockTimeout: 0,
    })
    {
      using source = new CopySource(folder.file, 'another place')
      await expect(command.cancelUpload(name, upload)).rejects.toMatchObject({ code: 'METADATA_UNAVAILABLE' })
      source.markMoved()
    }
    await expect(command.cancelUpload(name, upload)).rejects.toMatchObject({
      code: 'METADATA_UNAVAILABLE',
      message: expect.stringContaining('was moved') as string,
    })
    expect(await command.listPendingDeletes(10)).toStrictEqual([])
  })

  test('can be used again on purpose, and knows none of its backends then', async () => {
    await using folder = await temporaryFolder()
    const { name, identity, upload } = await fill(folder.file)
    await copyToPostgres(folder.file, settingsFor(await cluster().createDatabase()))
    undoMove(folder.file)
    expect(readMove(folder.file)).toBeNull()
    await using store = await openFile(folder.file)
    expect(await manifestAt(store, name, 'latest')).not.toBeNull()
    const now = await store.findBackendIdentity(disk)
    expect(now).toMatch(/^[0-9a-f]{32}$/)
    expect(now).not.toBe(identity)
    await store.cancelUpload(name, upload)
    expect(await store.listPendingDeletes(10)).toHaveLength(1)
  })

  test('that never had an identity of its backend has one that nobody else has', async () => {
    await using folder = await temporaryFolder()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await pushBlob(store, newName())
    }
    await copyToPostgres(folder.file, settingsFor(await cluster().createDatabase()))
    undoMove(folder.file)
    await using store = await openFile(folder.file)
    expect(await store.findBackendIdentity(disk)).not.toBeNull()
  })
})
