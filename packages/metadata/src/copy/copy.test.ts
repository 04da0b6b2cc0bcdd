import { expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import { mediaTypes, type RepositoryName, type Tag } from '@openregistry/oci'
import {
  blobAt,
  describeWithPostgres,
  diskAlone,
  hashedContent,
  manifestAt,
  newName,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { openPostgresMetadataStore } from '../postgres/open.ts'
import { settingsFor } from '../postgres/test-settings.ts'
import { openSqliteMetadataStore } from '../sqlite/open.ts'
import { temporaryFolder } from '../sqlite/temporary-folder.ts'
import { copyToPostgres, type CopyProgress } from './copy-to-postgres.ts'
import { readMove } from './moved-away.ts'

/** A registry with a row of nearly every kind; gives what to look for afterwards. */
async function fill(store: MetadataStore, name: RepositoryName, many = 1500) {
  const blob = await pushBlob(store, name, hashedContent(new Uint8Array(2_100_000).fill(7)))
  const inline = hashedContent('inline')
  await pushBlob(store, name, inline, {
    sha512: inline.sha512,
    stored: { kind: 'inline', bytes: inline.bytes },
  })
  await Promise.all(
    Array.from({ length: many }, (_, count) =>
      pushManifest(store, name, { tags: [`t${count % 1200}`] as Tag[] }),
    ),
  )
  const manifest = await pushManifest(store, name, {
    blobs: [blob.sha256, inline.sha256],
    tags: ['latest'] as Tag[],
    mediaType: mediaTypes.ociManifest,
    annotations: { 'org.example': 'quotes " and \\ and ünïcode {} ,' },
  })
  const gone = await pushManifest(store, name, { tags: ['gone'] as Tag[] })
  await store.deleteManifest(name, gone.digest, 'user:ada')
  await store.setVisibility(name, 'public', diskAlone)
  const { id } = await openSession(store, name)
  const part = partAt(id, 0, hashedContent('a part'), 'inline')
  await store.addPart({ upload: id, part, lifetime: 3_600_000 })
  return { blob, inline, manifest, gone, upload: id, part }
}

describeWithPostgres('copyToPostgres', (cluster) => {
  async function open(address: DatabaseAddress): Promise<MetadataStore> {
    return openPostgresMetadataStore({ ...settingsFor(address), autoMigrate: true })
  }

  test('takes everything along, and the new store goes on from there', async () => {
    await using folder = await temporaryFolder()
    const address = await cluster().createDatabase()
    const name = newName()
    const there = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const filled = await fill(there, name)
    const wanted = await Promise.all([there.listTags(name, { after: null, limit: 5000 }), there.figures()])
    await there[Symbol.asyncDispose]()
    const seen: CopyProgress[] = []
    const tables = await copyToPostgres(folder.file, settingsFor(address), {
      onProgress: (progress) => seen.push(progress),
    })
    expect(tables.find((table) => table.name === 'manifests')?.rows).toBe(1502)
    expect(
      seen.filter(({ phase, table }) => phase === 'copy' && table === 'manifests').map(({ rows }) => rows),
    ).toEqual([0, 1000, 1502])
    await using store = await open(address)
    expect(
      await Promise.all([store.listTags(name, { after: null, limit: 5000 }), store.figures()]),
    ).toStrictEqual(wanted)
    expect(await store.findRepository(name)).toMatchObject({ visibility: 'public' })
    expect(await blobAt(store, name, filled.blob.sha256)).toMatchObject({
      location: {
        kind: 'object',
        ...(filled.blob.stored.kind === 'object' ? { key: filled.blob.stored.key } : {}),
      },
    })
    expect(await blobAt(store, name, filled.inline.sha256)).toMatchObject({
      location: { kind: 'inline', bytes: filled.inline.bytes },
    })
    expect((await manifestAt(store, name, 'latest'))?.bytes).toStrictEqual(filled.manifest.bytes)
    expect(await store.listParts(filled.upload)).toStrictEqual([filled.part])
    // Numbers go on behind those that were copied, so that nothing new meets them.
    await fill(store, newName(), 10)
    expect(
      await store.restoreManifest({
        rules: diskAlone,
        repository: name,
        digest: filled.gone.digest,
        tag: null,
        principal: 'user:ada',
      }),
    ).toMatchObject({ tags: ['gone'] })
  })

  test('goes on where it was interrupted; servers refuse the database until then', async () => {
    await using folder = await temporaryFolder()
    const address = await cluster().createDatabase()
    const name = newName()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await fill(store, name)
    }
    const stop = new AbortController()
    const interrupted = copyToPostgres(folder.file, settingsFor(address), {
      onProgress: ({ table, rows }) => {
        if (table === 'tags' && rows === 1000) stop.abort(new Error('enough'))
      },
      signal: stop.signal,
    })
    await expect(interrupted).rejects.toThrow('enough')
    await expect(open(address)).rejects.toThrow(/target of a copy that is not complete/)
    const seen: CopyProgress[] = []
    await copyToPostgres(folder.file, settingsFor(address), { onProgress: (progress) => seen.push(progress) })
    const first = (table: string) =>
      seen.find((progress) => progress.phase === 'copy' && progress.table === table)
    expect(first('manifests')).toMatchObject({ rows: 1502 })
    expect(first('tags')).toMatchObject({ rows: 1000, total: 1201 })
    await using store = await open(address)
    expect(await manifestAt(store, name, 'latest')).not.toBeNull()
  })

  test('begins anew when the registry has changed since it was interrupted', async () => {
    await using folder = await temporaryFolder()
    const address = await cluster().createDatabase()
    const name = newName()
    const stop = new AbortController()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      for (let count = 0; count < 5; count++) await pushManifest(store, name)
    }
    const interrupted = copyToPostgres(folder.file, settingsFor(address), {
      onProgress: ({ phase }) => phase === 'verify' && stop.abort(new Error('enough')),
      signal: stop.signal,
    })
    await expect(interrupted).rejects.toThrow('enough')
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await store.deleteRepository(name, 'user:ada')
      await pushManifest(store, name, { tags: ['new'] as Tag[] })
    }
    await copyToPostgres(folder.file, settingsFor(address))
    await using store = await open(address)
    expect(await manifestAt(store, name, 'new')).not.toBeNull()
  })

  test('refuses a file that a server has, and a database that holds a registry', async () => {
    await using folder = await temporaryFolder()
    const address = await cluster().createDatabase()
    {
      await using _server = await openSqliteMetadataStore({
        file: folder.file,
        autoMigrate: true,
        exclusive: true,
      })
      await expect(copyToPostgres(folder.file, settingsFor(address))).rejects.toThrow(
        /Another server is using/,
      )
    }
    {
      await using store = await open(address)
      await expect(copyToPostgres(folder.file, settingsFor(address))).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      await pushManifest(store, newName())
    }
    await expect(copyToPostgres(folder.file, settingsFor(address))).rejects.toThrow(
      /holds a registry already/,
    )
    expect(await cluster().sql('SELECT count(*) FROM manifests', address.name)).toBe('1')
  })

  test('notices a row that arrived changed', async () => {
    await using folder = await temporaryFolder()
    const address = await cluster().createDatabase()
    const name = newName()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await pushManifest(store, name, { tags: ['latest'] as Tag[] })
    }
    const stop = new AbortController()
    const interrupted = copyToPostgres(folder.file, settingsFor(address), {
      onProgress: ({ phase }) => phase === 'verify' && stop.abort(new Error('enough')),
      signal: stop.signal,
    })
    await expect(interrupted).rejects.toThrow('enough')
    // As a faulty disk or hand would leave it.
    await cluster().sql(`UPDATE tags SET updated_by = 'somebody else'`, address.name)
    await expect(copyToPostgres(folder.file, settingsFor(address))).rejects.toThrow(
      /The copy of tags differs: 1 rows here, 1 there/,
    )
    expect(readMove(folder.file)).toBeNull()
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: false })
    expect(await manifestAt(store, name, 'latest')).not.toBeNull()
  })
})
