import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openSession, pushManifest } from './actions.ts'
import { newName } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

/** Rebuilding a registry. Each test has a database of its own, since only an empty one is rebuilt. */
export function restoreTests(open: OpenMetadataStore): void {
  describe('restores', () => {
    test('begin in an empty database, go on until they end, and never begin again', async () => {
      const { store, close } = await open()
      await using opened = new AsyncDisposableStack()
      opened.defer(close)
      expect(await store.findUnfinishedRestore()).toBeNull()
      expect(await store.beginRestore('one')).toBe('begun')
      const begun = await store.findUnfinishedRestore()
      expect(begun).toStrictEqual({ snapshot: 'one', begunAt: expect.any(Number) as number })
      const repository = { id: randomUUID(), name: newName(), visibility: 'public' } as const
      expect(await store.createRepository(repository)).toBe(true)
      await pushManifest(store, repository.name)
      expect(await store.beginRestore('one')).toBe('resumed')
      expect(await store.beginRestore('another')).toBe('occupied')
      expect(await store.findUnfinishedRestore()).toStrictEqual(begun)
      await store.endRestore('one')
      expect(await store.findUnfinishedRestore()).toBeNull()
      expect(await store.beginRestore('one')).toBe('occupied')
    })

    test('do not begin where somebody is', async () => {
      const { store, close } = await open()
      await using opened = new AsyncDisposableStack()
      opened.defer(close)
      await openSession(store, newName())
      expect(await store.beginRestore('one')).toBe('occupied')
    })

    test('bring repositories back under their ids', async () => {
      const { store, close } = await open()
      await using opened = new AsyncDisposableStack()
      opened.defer(close)
      const repository = { id: randomUUID(), name: newName(), visibility: 'private' } as const
      for (let turn = 0; turn < 2; turn++) expect(await store.createRepository(repository)).toBe(true)
      expect(await store.findRepository(repository.name)).toStrictEqual(repository)
      const page = await store.listRepositories({ kind: 'all' }, { after: null, limit: 10 })
      expect(page.items).toStrictEqual([repository])
      expect(await store.createRepository({ ...repository, id: randomUUID() })).toBe(false)
      await store.deleteRepository(repository.name, 'operator')
      expect(await store.createRepository(repository)).toBe(false)
    })
  })
}
