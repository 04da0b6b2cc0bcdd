import { describe, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import { RegistryError, type RepositoryName, type Tag } from '@openregistry/oci'
import {
  blobAt,
  diskAlone,
  hashedContent,
  manifestAt,
  manifestOf,
  newName,
  openSession,
  pushBlob,
  pushManifest,
} from '@openregistry/testkit'
import type { Connection } from './connection.ts'
import { rows, storeOn, withConnection } from './test-engine.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]

/** What no method of the port shows: history, blocks, and what happens to damaged bytes. */
async function withStore(
  body: (store: MetadataStore, connection: Connection, name: RepositoryName) => Promise<void>,
): Promise<void> {
  await withConnection((connection) => body(storeOn(connection), connection, newName()))
}

describe('tag_history', () => {
  test('has every change: who, from what, to what', async () => {
    await withStore(async (store, connection, name) => {
      const first = await pushManifest(store, name, { tags: tags('v1'), principal: 'user:ada' })
      await store.putManifest(first)
      const second = await pushManifest(store, name, { tags: tags('v1'), principal: 'user:bob' })
      await store.deleteTag(name, tags('v1')[0]!, 'user:cid')
      await store.putManifest({ ...second, tags: tags('v1', 'v2'), principal: 'user:dan' })
      await store.deleteManifest(name, second.digest, 'user:eve')
      await store.putManifest({ ...first, tags: tags('v3'), principal: 'user:fay' })
      const history = rows(
        connection,
        'SELECT tag, from_digest, to_digest, changed_by FROM tag_history ORDER BY id',
      ).map((row) => Object.values(row))
      expect(history).toStrictEqual([
        ['v1', null, first.digest, 'user:ada'],
        ['v1', first.digest, second.digest, 'user:bob'],
        ['v1', second.digest, null, 'user:cid'],
        ['v1', null, second.digest, 'user:dan'],
        ['v2', null, second.digest, 'user:dan'],
        ['v1', second.digest, null, 'user:eve'],
        ['v2', second.digest, null, 'user:eve'],
        ['v3', null, first.digest, 'user:fay'],
      ])
    })
  })
})

describe('blocks', () => {
  const mebi = 1024 * 1024

  test('has one row for each distinct block of a blob above 1 MiB', async () => {
    await withStore(async (store, connection, name) => {
      const bytes = new Uint8Array(4 * mebi + 7)
      bytes.fill(1, 0, mebi)
      bytes.fill(2, 3 * mebi, 4 * mebi)
      const { leaves, nodes } = await pushBlob(store, name, hashedContent(bytes))
      const prefix = (packed: Uint8Array, at: number) => packed.slice(32 * at, 32 * at + 8)
      expect(rows(connection, 'SELECT level, ordinal, hash8 FROM blocks ORDER BY level, ordinal')).toEqual([
        { level: 0, ordinal: 0, hash8: prefix(leaves, 0) },
        { level: 0, ordinal: 1, hash8: prefix(leaves, 1) },
        { level: 0, ordinal: 3, hash8: prefix(leaves, 3) },
        { level: 0, ordinal: 4, hash8: prefix(leaves, 4) },
        { level: 1, ordinal: 0, hash8: prefix(nodes[0]!, 0) },
      ])
      expect(rows(connection, 'SELECT leaves FROM blobs')).toEqual([{ leaves }])
    })
  })

  test('has none for smaller ones, and one set for content that is pushed twice', async () => {
    await withStore(async (store, connection, name) => {
      await pushBlob(store, name, hashedContent(new Uint8Array(mebi)))
      expect(rows(connection, 'SELECT * FROM blocks')).toStrictEqual([])
      const large = hashedContent(new Uint8Array(mebi + 1))
      await pushBlob(store, name, large)
      await pushBlob(store, name, large)
      expect(rows(connection, 'SELECT * FROM blocks')).toHaveLength(3)
    })
  })

  test('are the same for a large manifest as for a blob', async () => {
    await withStore(async (store, connection, name) => {
      const content = hashedContent(new Uint8Array(2 * mebi + 1).fill(32))
      await pushManifest(store, name, { ...content, digest: content.sha256, sha512: null })
      const select = 'SELECT b.leaves, k.* FROM blocks AS k JOIN blobs AS b ON b.id = k.blob_id'
      const asManifest = rows(connection, select)
      expect(asManifest).toHaveLength(3)
      expect(asManifest[0]?.['leaves']).toEqual(content.leaves)
    })
    await withStore(async (store, connection, name) => {
      const content = hashedContent()
      await pushManifest(store, name, { ...content, digest: content.sha256, sha512: null })
      expect(rows(connection, 'SELECT leaves FROM blobs')).toEqual([{ leaves: content.leaves }])
    })
  })
})

describe('a location without good bytes', () => {
  const states = ['damaged', 'missing'] as const

  test.each(states)('%s: the blob is not found, not mounted, and no manifest can need it', async (state) => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      connection.database.exec(`UPDATE blob_locations SET state = '${state}'`)
      expect(await blobAt(store, name, blob.sha256)).toMatchObject({ location: null })
      expect(await store.findMountSource(String(name).split('/')[0]!, blob.sha256)).toBeNull()
      const source = (await store.findRepository(name))!.id
      const target = newName()
      const mount = { source, target, defaultVisibility: 'private', digest: blob.sha256, lease: 1 } as const
      expect(await store.mountBlob({ ...mount, rules: diskAlone })).toBe(false)
      const error = await store
        .putManifest(manifestOf(name, { blobs: [blob.sha256] }))
        .catch((e: unknown) => e)
      expect(error).toBeInstanceOf(RegistryError)
      expect(error).toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { missing: [blob.sha256] } })
    })
  })

  test.each(states)('%s: the next push replaces it, and gives the old object away', async (state) => {
    await withStore(async (store, connection, name) => {
      const old = await pushBlob(store, name)
      connection.database.exec(`UPDATE blob_locations SET state = '${state}'`)
      const fresh = await pushBlob(store, name, hashedContent(old.bytes))
      if (old.stored.kind !== 'object' || fresh.stored.kind !== 'object') throw new Error('not objects')
      expect(await blobAt(store, name, old.sha256)).toMatchObject({ location: { key: fresh.stored.key } })
      expect(rows(connection, 'SELECT key FROM pending_deletes')).toStrictEqual([{ key: old.stored.key }])
      expect(rows(connection, 'SELECT key, state FROM blob_locations')).toStrictEqual([
        { key: fresh.stored.key, state: 'good' },
      ])
    })
  })

  test('hides a manifest until it is pushed again', async () => {
    await withStore(async (store, connection, name) => {
      const manifest = await pushManifest(store, name, { tags: tags('v1') })
      connection.database.exec(`UPDATE blob_locations SET state = 'damaged', bytes = x'00'`)
      expect(await manifestAt(store, name, 'v1')).toBeNull()
      const found = await store.findManifest(
        name,
        { kind: 'digest', digest: manifest.digest },
        { bytes: false },
      )
      expect(found?.manifest).toBeNull()
      await store.putManifest(manifest)
      expect((await manifestAt(store, name, 'v1'))?.bytes).toStrictEqual(manifest.bytes)
    })
  })

  test('leaves another good one to read from', async () => {
    await withStore(async (store, connection, name) => {
      const content = hashedContent()
      const object = await pushBlob(store, name, content)
      await pushBlob(store, name, content, { stored: { kind: 'inline', bytes: content.bytes } })
      expect(await blobAt(store, name, content.sha256)).toMatchObject({ location: { kind: 'inline' } })
      connection.database.exec(`UPDATE blob_locations SET state = 'damaged' WHERE backend = 'inline'`)
      expect(await blobAt(store, name, content.sha256)).toMatchObject({
        location: { kind: 'object', key: object.stored.kind === 'object' ? object.stored.key : '' },
      })
    })
  })
})

describe('known_private', () => {
  const hints = (connection: Connection, table: string) =>
    rows(connection, `SELECT known_private AS hint FROM ${table}`).map(({ hint }) => Number(hint))

  async function settle(store: MetadataStore): Promise<void> {
    for (const repository of await store.listUnsettled('', 10)) {
      for (const content of ['blobs', 'manifests'] as const) {
        await store.settleContent({ ...repository, content, after: '', limit: 10 })
      }
      await store.endSettling(repository)
    }
  }

  test('follows the visibility, so that private repositories are in no index that public content is looked for in', async () => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      const { digest } = await pushManifest(store, name, { blobs: [blob.sha256] })
      await store.deleteManifest(name, digest, 'user:ada')
      for (const [visibility, hint] of [
        ['public', 0],
        ['private', 1],
      ] as const) {
        await store.setVisibility(name, visibility, diskAlone)
        await settle(store)
        await pushBlob(store, name)
        await pushManifest(store, name)
        expect(new Set(hints(connection, 'repository_blobs'))).toStrictEqual(new Set([hint]))
        expect(new Set(hints(connection, 'manifests'))).toStrictEqual(new Set([hint]))
      }
    })
  })

  test('is noted for what is pushed into a private repository', async () => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      await pushManifest(store, name, { blobs: [blob.sha256] })
      expect([hints(connection, 'repository_blobs'), hints(connection, 'manifests')]).toStrictEqual([
        [1],
        [1],
      ])
      expect(await store.listUnsettled('', 10)).toStrictEqual([])
    })
  })
})

describe('layouts', () => {
  test('leave no row behind when their manifests or repositories are gone', async () => {
    await withStore(async (store, connection, name) => {
      const other = newName()
      for (const repository of [name, other]) {
        await openSession(store, repository, { defaultVisibility: 'public' })
        const { digest } = await pushManifest(store, repository, { tags: tags('v1') })
        const block = { sha256: new Uint8Array(32), bytes: new Uint8Array(9) }
        const layout = { root: block.sha256, size: 9, blocks: [block] }
        await store.putLayout({ repository, digest, layout })
        const { id } = (await store.findRepository(repository))!
        await store.putDirectory({
          repositoryId: id,
          root: block.sha256,
          blocks: [block],
          keep: 0,
          name: null,
        })
        if (repository === name) await store.deleteManifest(repository, digest, 'user:ada')
      }
      const count = (table: string) => rows(connection, `SELECT 1 AS one FROM ${table}`).length
      expect([count('layouts'), count('layout_blocks'), count('directory_blocks')]).toStrictEqual([2, 2, 2])
      while ((await store.collectManifests({ grace: 0, limit: 10 })).more);
      expect([count('layouts'), count('layout_blocks')]).toStrictEqual([1, 1])
      await store.deleteRepository(other, 'user:ada')
      while ((await store.emptyRepositories({ limit: 10 })).more);
      for (const table of ['layouts', 'layout_blocks']) expect(count(table), table).toBe(0)
      for (const table of ['directories', 'directory_blocks']) expect(count(table), table).toBe(1)
    })
  })
})

describe('a deleted repository', () => {
  test('is one changed row, until the collector takes what was in it', async () => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
      const other = newName()
      await pushBlob(store, other, hashedContent(blob.bytes))
      await pushManifest(store, other, { blobs: [blob.sha256], tags: tags('v1') })
      const { id } = (await store.findRepository(name))!
      const changes = () => Number(rows(connection, 'SELECT total_changes() AS changes')[0]?.['changes'])
      const before = changes()
      await store.setVisibility(name, 'public', diskAlone)
      await store.deleteRepository(name, 'user:ada')
      expect(changes()).toBe(before + 2)
      while ((await store.emptyRepositories({ limit: 10 })).more);
      for (const table of ['tags', 'tag_history', 'manifests', 'manifest_refs', 'repository_blobs']) {
        const left = rows(connection, `SELECT DISTINCT repository_id = ? AS gone FROM ${table}`, id)
        expect(left, table).toStrictEqual([{ gone: 0 }])
      }
      const row = rows(
        connection,
        'SELECT deleted_by, emptied_at > 0 AS emptied FROM repositories WHERE id = ?',
        id,
      )
      expect(row).toStrictEqual([{ deleted_by: 'user:ada', emptied: 1 }])
    })
  })
})

describe('rows that nobody needs', () => {
  test('are not written again when nothing changes', async () => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      const manifest = await pushManifest(store, name, { blobs: [blob.sha256], tags: tags('v1') })
      const { id } = (await store.findRepository(name))!
      const changes = () => rows(connection, 'SELECT total_changes() AS changes')[0]?.['changes']
      const before = changes()
      await store.putManifest(manifest)
      await store.renewLease(id, blob.sha256, 1000)
      await store.setVisibility(name, 'private', diskAlone)
      await store.check()
      expect(changes()).toBe(before)
    })
  })

  test('of parts go with their session', async () => {
    await withStore(async (store, connection, name) => {
      const blob = await pushBlob(store, name)
      const { id } = await openSession(store, name)
      const part = {
        offset: 0,
        size: 3,
        stored: { kind: 'inline', bytes: new Uint8Array(3) },
        hashes: null,
      } as const
      await store.addPart({ upload: id, part, lifetime: 1000 })
      await store.cancelUpload(name, id)
      expect(rows(connection, 'SELECT * FROM upload_parts')).toStrictEqual([])
      const ended = rows(connection, 'SELECT id FROM uploads WHERE ended_at IS NOT NULL ORDER BY created_at')
      expect(ended.map((row) => row['id'])).toStrictEqual([blob.upload, id])
    })
  })
})
