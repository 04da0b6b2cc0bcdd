import { describe, expect, test } from 'vitest'
import type { HashedBlock, MetadataStore, PutLayout } from '@openregistry/core'
import type { RepositoryName, Tag } from '@openregistry/oci'
import { diskAlone, manifestAt, openSession, pushBlob, pushManifest } from './actions.ts'
import { hashedContent, newName, sha256Of, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]

function newBlock(): HashedBlock {
  const { bytes } = hashedContent()
  return { sha256: sha256Of(bytes), bytes }
}

/** A layout of some blocks, the first of which is its root. */
function newLayout(...blocks: HashedBlock[]): NonNullable<PutLayout['layout']> {
  const all = blocks.length > 0 ? blocks : [newBlock(), newBlock()]
  return { root: all[0]!.sha256, size: 1000, blocks: all }
}

async function newPublic(store: MetadataStore): Promise<RepositoryName> {
  const name = newName()
  await openSession(store, name, { defaultVisibility: 'public' })
  return name
}

/** Which of these blocks everybody may see. */
function visible(store: MetadataStore, blocks: readonly HashedBlock[]): Promise<boolean[]> {
  return Promise.all(blocks.map(async ({ sha256 }) => (await store.findPublicNode(sha256)) !== null))
}

/** Layouts of images, directories of tags, and what they are computed from. */
export function layoutTests(open: OpenMetadataStore): void {
  describe('layouts', () => {
    const store = sharedStore(open)

    test('are kept with a manifest, and their blocks are found', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      expect(await store().findLayout(name, digest)).toStrictEqual({ layout: null })
      const layout = newLayout()
      await store().putLayout({ repository: name, digest, layout })
      const found = await store().findLayout(name, digest)
      expect(found?.layout).toMatchObject({ root: layout.root, size: 1000, stored: true })
      expect(found!.layout!.age).toBeGreaterThanOrEqual(0)
      expect((await manifestAt(store(), name, digest))?.layoutRoot).toStrictEqual(layout.root)
      for (const { sha256, bytes } of layout.blocks) {
        const node = await store().findPublicNode(sha256)
        expect(node).toStrictEqual({ repository: await store().findRepository(name), bytes })
      }
      expect(await store().findPublicNode(newBlock().sha256)).toBeNull()
    })

    test('replace each other, also by the word that there is none', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      const shared = newBlock()
      const [one, two] = [newLayout(newBlock(), shared), newLayout(newBlock(), shared)]
      for (const layout of [one, one, two]) await store().putLayout({ repository: name, digest, layout })
      expect(await visible(store(), [...one.blocks, ...two.blocks])).toStrictEqual([false, true, true, true])
      await store().putLayout({ repository: name, digest, layout: null })
      const none = (await store().findLayout(name, digest))?.layout
      expect(none).toMatchObject({ root: null, size: 0, stored: false })
      expect(await visible(store(), two.blocks)).toStrictEqual([false, false])
    })

    test('have what was derived from them beside them, as long as they are the same', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      const [layout, derived] = [newLayout(), newBlock()]
      const withMore = { ...layout, blocks: [...layout.blocks, derived] }
      for (const each of [withMore, layout])
        await store().putLayout({ repository: name, digest, layout: each })
      expect(await visible(store(), withMore.blocks)).toStrictEqual([true, true, true])
      await store().putLayout({ repository: name, digest, layout: newLayout() })
      expect(await visible(store(), withMore.blocks)).toStrictEqual([false, false, false])
    })

    test('of what is not there are not kept', async () => {
      const [name, layout] = [await newPublic(store()), newLayout()]
      await store().putLayout({ repository: name, digest: unknownDigest(), layout })
      await store().putLayout({ repository: newName(), digest: unknownDigest(), layout })
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
      expect(await store().findLayout(name, unknownDigest())).toBeNull()
    })

    test('have no blocks in a private repository', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name)
      const layout = newLayout()
      await store().putLayout({ repository: name, digest, layout })
      expect((await store().findLayout(name, digest))?.layout).toMatchObject({
        root: layout.root,
        stored: false,
      })
      await store().setVisibility(name, 'public', diskAlone)
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
    })

    test('close at once with their repository, and lose their blocks', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      const layout = newLayout()
      await store().putLayout({ repository: name, digest, layout })
      await store().setVisibility(name, 'private', diskAlone)
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
      await settleAll(store())
      await store().setVisibility(name, 'public', diskAlone)
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
      expect((await store().findLayout(name, digest))?.layout).toMatchObject({
        root: layout.root,
        stored: false,
      })
    })

    test('are found where another repository has the same', async () => {
      const [closing, staying] = [await newPublic(store()), await newPublic(store())]
      const { digest, bytes } = await pushManifest(store(), closing)
      await pushManifest(store(), staying, { bytes })
      const layout = newLayout()
      for (const repository of [closing, staying]) await store().putLayout({ repository, digest, layout })
      await store().setVisibility(closing, 'private', diskAlone)
      expect((await store().findPublicNode(layout.root))?.repository.name).toBe(staying)
      await store().deleteRepository(staying, 'user:ada')
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
    })

    test('go and come back with their manifest', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name, { tags: tags('v1') })
      const layout = newLayout()
      await store().putLayout({ repository: name, digest, layout })
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await visible(store(), layout.blocks)).toStrictEqual([false, false])
      expect(await store().findLayout(name, digest)).toBeNull()
      await store().restoreManifest({
        repository: name,
        digest,
        tag: null,
        principal: 'user:ada',
        rules: diskAlone,
      })
      expect(await visible(store(), layout.blocks)).toStrictEqual([true, true])
    })

    test('of indexes go when a child goes, however they are nested', async () => {
      const name = await newPublic(store())
      const child = await pushManifest(store(), name)
      const naming = (digest: typeof child.digest) => ({
        references: [{ digest, kind: 'manifest' }] as const,
      })
      const index = await pushManifest(store(), name, naming(child.digest))
      const nested = await pushManifest(store(), name, naming(index.digest))
      const other = await pushManifest(store(), name)
      const layouts = [index, nested, other].map(({ digest }) => ({ digest, layout: newLayout() }))
      for (const layout of layouts) await store().putLayout({ repository: name, ...layout })
      await store().deleteManifest(name, child.digest, 'user:ada')
      const roots = layouts.map(({ layout }) => layout.blocks[0]!)
      expect(await visible(store(), roots)).toStrictEqual([false, false, true])
      expect(await store().findLayout(name, nested.digest)).toStrictEqual({ layout: null })
    })
  })

  describe('directories of tags', () => {
    const store = sharedStore(open)

    test('are seen while their repository is public, older blocks for a while', async () => {
      const name = await newPublic(store())
      const { id: repositoryId } = (await store().findRepository(name))!
      const [kept, old, fresh] = [newBlock(), newBlock(), newBlock()]
      const put = (blocks: HashedBlock[], keep: number) =>
        store().putDirectory({ repositoryId, root: blocks[0]!.sha256, blocks, keep, name: null })
      await put([old, kept], 60_000)
      expect(await visible(store(), [old, kept, fresh])).toStrictEqual([true, true, false])
      await put([fresh, kept], 60_000)
      expect(await visible(store(), [old, kept, fresh])).toStrictEqual([true, true, true])
      await store().setVisibility(name, 'private', diskAlone)
      expect(await visible(store(), [old, kept, fresh])).toStrictEqual([false, false, false])
      await store().setVisibility(name, 'public', diskAlone)
      await put([old], 60_000)
      await put([fresh], 0)
      expect(await visible(store(), [old, kept, fresh])).toStrictEqual([false, false, true])
    })

    test('are not kept of private or deleted repositories', async () => {
      const names = [newName(), await newPublic(store())]
      const [closed, deleted] = names
      await openSession(store(), closed!)
      const ids = await Promise.all(names.map(async (name) => (await store().findRepository(name))!.id))
      await store().deleteRepository(deleted!, 'user:ada')
      const block = newBlock()
      for (const repositoryId of ids) {
        await store().putDirectory({ repositoryId, root: block.sha256, blocks: [block], keep: 0, name: null })
      }
      await store().setVisibility(closed!, 'public', diskAlone)
      expect(await visible(store(), [block])).toStrictEqual([false])
    })

    test('go when the repository has become private', async () => {
      const name = await newPublic(store())
      const { id: repositoryId } = (await store().findRepository(name))!
      const block = newBlock()
      await store().putDirectory({ repositoryId, root: block.sha256, blocks: [block], keep: 0, name: null })
      await store().setVisibility(name, 'private', diskAlone)
      await settleAll(store())
      await store().setVisibility(name, 'public', diskAlone)
      expect(await visible(store(), [block])).toStrictEqual([false])
    })
  })

  describe('listTaggedLayouts', () => {
    const store = sharedStore(open)

    test('has every tag with the layout of its manifest, in pages', async () => {
      const name = await newPublic(store())
      const one = await pushManifest(store(), name, { tags: tags('b', 'a') })
      const two = await pushManifest(store(), name, { tags: tags('c') })
      const layout = newLayout()
      await store().putLayout({ repository: name, digest: one.digest, layout })
      const list = async (after: string | null, limit: number) => {
        const found = (await store().listTaggedLayouts(name, { after, limit }))!
        expect(found.repository).toStrictEqual(await store().findRepository(name))
        const { items, more } = found.page
        return { items: items.map((item) => [item.tag, item.digest, item.layout?.root ?? null]), more }
      }
      const first = [
        ['a', one.digest, layout.root],
        ['b', one.digest, layout.root],
      ]
      expect(await list(null, 2)).toStrictEqual({ items: first, more: true })
      expect(await list('b', 2)).toStrictEqual({ items: [['c', two.digest, null]], more: false })
      expect(await list('c', 2)).toStrictEqual({ items: [], more: false })
      expect(await store().listTaggedLayouts(newName(), { after: null, limit: 2 })).toBeNull()
    })
  })

  describe('describeBlobs', () => {
    const store = sharedStore(open)

    test('has what the repository can read, under the digests that were asked for', async () => {
      const name = newName()
      const [blob, long, hidden, elsewhere] = [
        await pushBlob(store(), name),
        hashedContent(),
        await pushBlob(store(), name),
        await pushBlob(store(), newName()),
      ]
      await pushBlob(store(), name, long, { digest: long.sha512, sha512: long.sha512 })
      await store().deleteBlob(name, hidden.sha256)
      const asked = [blob.sha256, long.sha512, long.sha256, hidden.sha256, elsewhere.sha256, unknownDigest()]
      const described = await store().describeBlobs(name, asked)
      const sorted = described.toSorted((a, b) => a.digest.length - b.digest.length)
      expect(sorted).toStrictEqual([
        { digest: blob.sha256, cid: blob.cid, size: blob.size },
        { digest: long.sha512, cid: long.cid, size: long.size },
      ])
      expect(await store().describeBlobs(name, [])).toStrictEqual([])
    })
  })

  describe('changes of tags', () => {
    const store = sharedStore(open)

    /** What changed since the last time, as repositories. */
    async function changes(): Promise<(string | null)[]> {
      const found = await store().listTagChanges(0, 1000)
      await store().forgetTagChanges(found.map(({ id }) => id))
      return found.map(({ repository }) => repository?.name ?? null)
    }

    test('are noted whatever changes them, once for each', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      expect(await changes()).toStrictEqual([])
      const tagged = await pushManifest(store(), name, { tags: tags('v1', 'v2') })
      expect(await changes()).toStrictEqual([name, name])
      await store().putManifest(tagged)
      expect(await changes()).toStrictEqual([])
      await store().deleteTag(name, tags('v1')[0]!, 'user:ada')
      expect(await changes()).toStrictEqual([name])
      await store().deleteManifest(name, tagged.digest, 'user:ada')
      expect(await changes()).toStrictEqual([name])
      await store().restoreManifest({
        repository: name,
        digest: tagged.digest,
        tag: null,
        principal: 'user:ada',
        rules: diskAlone,
      })
      expect(await changes()).toStrictEqual([name])
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await changes()).toStrictEqual([])
    })

    test('of private and deleted repositories are nobody’s', async () => {
      const [closed, deleted] = [newName(), await newPublic(store())]
      await pushManifest(store(), closed, { tags: tags('v1') })
      await pushManifest(store(), deleted, { tags: tags('v1') })
      await store().deleteRepository(deleted, 'user:ada')
      expect(await changes()).toStrictEqual([null, null])
    })

    test('are noted when a repository has been opened', async () => {
      const name = newName()
      await pushManifest(store(), name, { tags: tags('v1') })
      await changes()
      await store().setVisibility(name, 'public', diskAlone)
      await settleAll(store())
      expect(await changes()).toStrictEqual([name])
    })

    test('are listed in pages, and forgotten one by one', async () => {
      const name = await newPublic(store())
      await pushManifest(store(), name, { tags: tags('a', 'b', 'c') })
      const [one, two, three] = await store().listTagChanges(0, 10)
      expect(await store().listTagChanges(0, 2)).toStrictEqual([one, two])
      expect(await store().listTagChanges(two!.id, 2)).toStrictEqual([three])
      await store().forgetTagChanges([two!.id])
      expect(await store().listTagChanges(0, 10)).toStrictEqual([one, three])
      await store().forgetTagChanges([one!.id, three!.id])
    })
  })
}
