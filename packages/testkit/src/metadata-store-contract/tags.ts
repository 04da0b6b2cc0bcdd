import { describe, expect, test } from 'vitest'
import { mediaTypes, type Tag } from '@openregistry/oci'
import { manifestAt, openSession, pushBlob, pushManifest, tagsOf } from './actions.ts'
import { newName } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]
const tag = (text: string): Tag => text as Tag

/** Tags and their lists. */
export function tagTests(open: OpenMetadataStore): void {
  describe('tags', () => {
    const store = sharedStore(open)

    test('move to the newest manifest, and the old one stays', async () => {
      const name = newName()
      const first = await pushManifest(store(), name, { tags: tags('latest') })
      const second = await pushManifest(store(), name, { tags: tags('latest') })
      expect((await manifestAt(store(), name, 'latest'))?.digest).toBe(second.digest)
      expect(await manifestAt(store(), name, first.digest)).not.toBeNull()
      await store().putManifest(first)
      expect((await manifestAt(store(), name, 'latest'))?.digest).toBe(first.digest)
    })

    test('are case-sensitive', async () => {
      const name = newName()
      const lower = await pushManifest(store(), name, { tags: tags('v1') })
      const upper = await pushManifest(store(), name, { tags: tags('V1') })
      expect((await manifestAt(store(), name, 'v1'))?.digest).toBe(lower.digest)
      expect((await manifestAt(store(), name, 'V1'))?.digest).toBe(upper.digest)
    })

    test('can be deleted without their manifest', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name, { tags: tags('a', 'b') })
      expect(await store().deleteTag(name, tag('a'), 'user:ada')).toBe(true)
      expect(await tagsOf(store(), name)).toStrictEqual(['b'])
      expect(await manifestAt(store(), name, 'a')).toBeNull()
      expect(await manifestAt(store(), name, digest)).not.toBeNull()
      expect(await store().deleteTag(name, tag('a'), 'user:ada')).toBe(false)
      expect(await store().deleteTag(newName(), tag('b'), 'user:ada')).toBe(false)
    })
  })

  describe('listTags', () => {
    const store = sharedStore(open)
    const all = { after: null, limit: 100 }

    test('is null for repositories that are not there or never held a manifest', async () => {
      const name = newName()
      expect(await store().listTags(name, all)).toBeNull()
      expect(await store().listTagNames(name, all)).toBeNull()
      await pushBlob(store(), name)
      expect(await store().listTags(name, all)).toBeNull()
      expect(await store().listTagNames(name, all)).toBeNull()
    })

    test('begins after text that no tag can be', async () => {
      const name = newName()
      await pushManifest(store(), name, { tags: tags('a', 'ab', 'b') })
      for (const after of ['a\0', 'a\0b', 'a!', 'aZ', 'aa\uffff']) {
        expect((await store().listTagNames(name, { after, limit: 9 }))?.page.items).toStrictEqual(['ab', 'b'])
      }
    })

    test('is empty when the manifest has no tag, or is deleted', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name)
      const repository = (await store().findRepository(name))!
      const empty = { repository, page: { items: [], more: false } }
      expect(await store().listTags(name, all)).toStrictEqual(empty)
      expect(await store().listTagNames(name, all)).toStrictEqual(empty)
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await store().listTags(name, all)).toStrictEqual(empty)
    })

    test('says what each tag points to', async () => {
      const name = newName()
      const index = await pushManifest(store(), name, { mediaType: mediaTypes.ociIndex, tags: tags('multi') })
      const found = await store().listTags(name, all)
      expect(found?.page.items).toStrictEqual([
        {
          tag: 'multi',
          digest: index.digest,
          mediaType: mediaTypes.ociIndex,
          size: index.bytes.length,
          updatedAt: expect.any(Number) as number,
        },
      ])
    })

    test('is ordered bytewise and paged', async () => {
      const name = newName()
      const shuffled = tags('b', 'a1', '_z', 'B', 'a-b', 'Z', 'a', 'a.b', 'a_b', '1', '10', '2', 'aa')
      const ordered = ['1', '10', '2', 'B', 'Z', '_z', 'a', 'a-b', 'a.b', 'a1', 'a_b', 'aa', 'b']
      await pushManifest(store(), name, { tags: shuffled })
      const page = async (after: string | null, limit: number) => {
        const found = (await store().listTags(name, { after, limit }))!.page
        const listed = { tags: found.items.map((item) => item.tag), more: found.more }
        const names = (await store().listTagNames(name, { after, limit }))!.page
        expect({ tags: names.items, more: names.more }).toStrictEqual(listed)
        return listed
      }
      expect(await page(null, 100)).toStrictEqual({ tags: ordered, more: false })
      expect(await page(null, 13)).toStrictEqual({ tags: ordered, more: false })
      expect(await page(null, 12)).toStrictEqual({ tags: ordered.slice(0, 12), more: true })
      expect(await page('a', 3)).toStrictEqual({ tags: ['a-b', 'a.b', 'a1'], more: true })
      expect(await page('a0', 2)).toStrictEqual({ tags: ['a1', 'a_b'], more: true })
      expect(await page('aa', 1)).toStrictEqual({ tags: ['b'], more: false })
      expect(await page('b', 5)).toStrictEqual({ tags: [], more: false })
      expect(await page('zzz', 5)).toStrictEqual({ tags: [], more: false })
      expect(await page(null, 0)).toStrictEqual({ tags: [], more: true })
      expect(await page('b', 0)).toStrictEqual({ tags: [], more: false })
    })

    test('has no tags of other repositories', async () => {
      const [name, other] = [newName(), newName()]
      await openSession(store(), name)
      await pushManifest(store(), other, { tags: tags('theirs') })
      await pushManifest(store(), name, { tags: tags('mine') })
      expect(await tagsOf(store(), name)).toStrictEqual(['mine'])
    })
  })
}
