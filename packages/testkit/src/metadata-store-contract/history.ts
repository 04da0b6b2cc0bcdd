import { describe, expect, test } from 'vitest'
import type { MetadataStore, TagChange } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { manifestAt, openSession, pushManifest } from './actions.ts'
import { newName, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const tag = (text: string): Tag => text as Tag
const all = { after: null, limit: 100 }

/** Every change, newest first, taken page by page. */
export async function wholeHistory(
  store: MetadataStore,
  name: RepositoryName,
  of: Tag | null = null,
  limit = 3,
): Promise<TagChange[]> {
  const changes: TagChange[] = []
  for (let after: number | null = null; ;) {
    const found = await store.listTagHistory(name, of, { after, limit })
    if (found === null) throw new Error('The repository is not there.')
    changes.push(...found.page.items)
    if (!found.page.more) return changes
    after = changes.at(-1)?.id ?? null
  }
}

/** From what to what, of which tag, by whom. */
const facts = ({ tag: of, from, to, changedBy }: TagChange): (string | null)[] => [of, from, to, changedBy]

/** What was. */
export function historyTests(open: OpenMetadataStore): void {
  describe('listTagHistory', () => {
    const store = sharedStore(open)

    test('is null for a repository that is not there, empty for one without tags', async () => {
      const name = newName()
      expect(await store().listTagHistory(name, null, all)).toBeNull()
      expect(await store().listTagHistory(name, tag('v1'), all)).toBeNull()
      const { repository } = await openSession(store(), name)
      const nothing = { repository, page: { items: [], more: false } }
      expect(await store().listTagHistory(name, null, all)).toMatchObject(nothing)
      expect(await store().listTagHistory(name, tag('v1'), all)).toStrictEqual({ ...nothing, present: false })
    })

    test('says who changed what, newest first, deleted tags included', async () => {
      const name = newName()
      const first = await pushManifest(store(), name, { tags: tags('a'), principal: 'user:ada' })
      const second = await pushManifest(store(), name, { tags: tags('a', 'b'), principal: 'user:bob' })
      await store().deleteTag(name, tag('a'), 'user:cid')
      await store().deleteManifest(name, second.digest, 'user:dan')
      const changes = await wholeHistory(store(), name)
      expect(changes.map(facts)).toStrictEqual([
        ['b', second.digest, null, 'user:dan'],
        ['a', second.digest, null, 'user:cid'],
        ['b', null, second.digest, 'user:bob'],
        ['a', first.digest, second.digest, 'user:bob'],
        ['a', null, first.digest, 'user:ada'],
      ])
      expect(await wholeHistory(store(), name, tag('a'), 1)).toStrictEqual(
        changes.filter((change) => change.tag === 'a'),
      )
      for (const [newer, older] of changes.slice(1).map((change, at) => [changes[at]!, change] as const)) {
        expect(newer.id).toBeGreaterThan(older.id)
        expect(newer.changedAt).toBeGreaterThanOrEqual(older.changedAt)
      }
    })

    test('says what became of the manifest, and whether the tag is there', async () => {
      const name = newName()
      const gone = await pushManifest(store(), name, { tags: tags('a') })
      await pushManifest(store(), name, { tags: tags('b') })
      await store().deleteManifest(name, gone.digest, 'user:ada')
      const a = (await store().listTagHistory(name, tag('a'), all))!
      const deletedAt = await store().findDeletedManifest(name, gone.digest)
      expect(deletedAt).toBeGreaterThan(0)
      expect(a.present).toBe(false)
      expect(a.page.items).toMatchObject([
        { to: null, manifest: 'deleted', deletedAt },
        { from: null, manifest: 'deleted', deletedAt },
      ])
      const b = (await store().listTagHistory(name, tag('b'), all))!
      expect(b.present).toBe(true)
      expect(b.page.items).toMatchObject([{ manifest: 'live', deletedAt: null }])
    })

    test('is paged, and has nothing of other repositories', async () => {
      const [name, other] = [newName(), newName()]
      for (const repository of [name, other, name, other, name]) {
        await pushManifest(store(), repository, { tags: tags('a') })
      }
      const page = async (limit: number, after: number | null = null) => {
        const found = (await store().listTagHistory(name, tag('a'), { after, limit }))!
        return { ids: found.page.items.map(({ id }) => id), more: found.page.more }
      }
      const { ids } = await page(10)
      expect(ids).toHaveLength(3)
      expect(await page(3)).toStrictEqual({ ids, more: false })
      expect(await page(2)).toStrictEqual({ ids: ids.slice(0, 2), more: true })
      expect(await page(2, ids[1])).toStrictEqual({ ids: ids.slice(2), more: false })
      expect(await page(2, ids[2])).toStrictEqual({ ids: [], more: false })
      expect(await page(0)).toStrictEqual({ ids: [], more: true })
      expect(await page(9, Number.MAX_SAFE_INTEGER)).toStrictEqual({ ids, more: false })
      expect((await wholeHistory(store(), name)).map(({ id }) => id)).toStrictEqual(ids)
    })

    test('of a name that was deleted and created anew begins anew', async () => {
      const name = newName()
      await pushManifest(store(), name, { tags: tags('a') })
      await store().deleteRepository(name, 'user:ada')
      const { digest } = await pushManifest(store(), name, { tags: tags('b') })
      expect((await wholeHistory(store(), name)).map(facts)).toStrictEqual([['b', null, digest, 'user:ada']])
    })
  })

  describe('findTagChangeAt', () => {
    const store = sharedStore(open)

    test('finds the change that was in force', async () => {
      const name = newName()
      for (let n = 0; n < 4; n++) await pushManifest(store(), name, { tags: tags('a', `b${n}`) })
      const changes = await wholeHistory(store(), name, tag('a'))
      for (const { changedAt } of changes) {
        const inForce = changes.find((change) => change.changedAt <= changedAt)
        expect(await store().findTagChangeAt(name, tag('a'), changedAt)).toBe(inForce?.id)
      }
      const [newest, oldest] = [changes.at(0)!, changes.at(-1)!]
      expect(await store().findTagChangeAt(name, tag('a'), newest.changedAt + 1e9)).toBe(newest.id)
      expect(await store().findTagChangeAt(name, tag('a'), oldest.changedAt - 1)).toBeNull()
    })

    test('is null for what is not there', async () => {
      const name = newName()
      expect(await store().findTagChangeAt(name, tag('a'), Date.now())).toBeNull()
      await pushManifest(store(), name, { tags: tags('a') })
      expect(await store().findTagChangeAt(name, tag('b'), Number.MAX_SAFE_INTEGER)).toBeNull()
    })
  })

  describe('findDeletedManifest', () => {
    const store = sharedStore(open)

    test('is null unless it is deleted, in this repository', async () => {
      const [name, other] = [newName(), newName()]
      const { digest } = await pushManifest(store(), name)
      const same: [RepositoryName, Digest][] = [
        [name, digest],
        [name, unknownDigest()],
        [other, digest],
      ]
      for (const [where, which] of same) expect(await store().findDeletedManifest(where, which)).toBeNull()
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await store().findDeletedManifest(name, digest)).toBeGreaterThan(0)
      expect(await manifestAt(store(), name, digest)).toBeNull()
      expect(await store().findDeletedManifest(other, digest)).toBeNull()
    })
  })
}
