import { describe, expect, test } from 'vitest'
import type { MetadataStore, PublicBlob, PublicBlobWish } from '@openregistry/core'
import { digestBytes, parseRepositoryName, type Digest, type RepositoryName } from '@openregistry/oci'
import { diskAlone, hour, openSession, pushBlob, pushManifest } from './actions.ts'
import { hashedContent, newName, randomWord, sha256Of, unknownDigest, type HashedContent } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

const mebi = 1024 * 1024

/** Asks for a blob that everybody may see. */
function ask(
  store: MetadataStore,
  sha256: Uint8Array,
  over: Partial<PublicBlobWish> = {},
): Promise<PublicBlob | null> {
  return store.findPublicBlob({ sha256, as: 'block', except: [], bytes: true, ...over })
}

/** Content of these many leaves, all different. */
function leavesOf(count: number, salt = randomWord()): HashedContent {
  const bytes = new Uint8Array((count - 1) * mebi + 5)
  for (let leaf = 0; leaf < count; leaf++)
    bytes.set(new TextEncoder().encode(`${leaf}${salt}`.slice(0, 5)), leaf * mebi)
  bytes.set(new TextEncoder().encode(salt), 100)
  return hashedContent(bytes)
}

/** A new name of a repository that is public. */
async function newPublic(store: MetadataStore): Promise<RepositoryName> {
  const name = newName()
  await openSession(store, name, { defaultVisibility: 'public' })
  return name
}

/** What everybody may see, found by the hashes of blocks. */
export function publicContentTests(open: OpenMetadataStore): void {
  describe('findPublicBlob', () => {
    const store = sharedStore(open)

    test('finds a small blob as the only block of itself', async () => {
      const name = await newPublic(store())
      const blob = await pushBlob(store(), name)
      const found = await ask(store(), digestBytes(blob.sha256))
      expect(found).toMatchObject({ sha256: blob.sha256, size: blob.size, level: 0, index: 0 })
      expect(found?.repository).toStrictEqual(await store().findRepository(name))
      const { stored } = blob
      expect(found?.locations).toStrictEqual([
        { kind: 'object', backend: 'disk', key: stored.kind === 'object' ? stored.key : '' },
      ])
      expect(await ask(store(), digestBytes(unknownDigest()))).toBeNull()
    })

    test('finds leaves and nodes of a larger blob by their place, but not the blob itself', async () => {
      const content = leavesOf(3)
      await pushBlob(store(), await newPublic(store()), content)
      for (const index of [0, 1, 2]) {
        const hash = content.leaves.slice(32 * index, 32 * index + 32)
        expect(await ask(store(), hash)).toMatchObject({ sha256: content.sha256, level: 0, index })
        expect(await ask(store(), hash, { as: 'root' })).toBeNull()
      }
      const root = { sha256: content.sha256, level: 1, index: 0 }
      expect(await ask(store(), content.nodes[0]!)).toMatchObject(root)
      expect(await ask(store(), content.nodes[0]!, { as: 'root' })).toMatchObject(root)
      const whole = digestBytes(content.sha256)
      expect(await ask(store(), whole)).toBeNull()
      expect(await ask(store(), whole, { as: 'root' })).toBeNull()
      expect(await ask(store(), whole, { as: 'content' })).toMatchObject({ size: content.size })
      const { id } = (await ask(store(), whole, { as: 'content' }))!
      expect(await store().readBlobLeaves(id)).toStrictEqual(content.leaves)
    })

    test('compares all of a hash, not its beginning alone', async () => {
      const content = leavesOf(2)
      await pushBlob(store(), await newPublic(store()), content)
      const other = content.leaves.slice(0, 32)
      other[31]! ^= 1
      expect(await ask(store(), other)).toBeNull()
    })

    test('finds what is empty, and bytes in the database only when they are wanted', async () => {
      const name = await newPublic(store())
      const [empty, inline] = [hashedContent(''), hashedContent()]
      await pushBlob(store(), name, empty, { stored: { kind: 'inline', bytes: empty.bytes } })
      await pushBlob(store(), name, inline, { stored: { kind: 'inline', bytes: inline.bytes } })
      const none = { kind: 'inline', bytes: new Uint8Array(0) }
      expect((await ask(store(), sha256Of(empty.bytes)))?.locations).toStrictEqual([none])
      const hash = digestBytes(inline.sha256)
      expect((await ask(store(), hash))?.locations).toStrictEqual([{ kind: 'inline', bytes: inline.bytes }])
      expect((await ask(store(), hash, { bytes: false }))?.locations).toStrictEqual([none])
    })

    test('finds manifests, those that are deleted excepted', async () => {
      const name = await newPublic(store())
      const { digest } = await pushManifest(store(), name)
      expect(await ask(store(), digestBytes(digest))).toMatchObject({ sha256: digest })
      await store().deleteManifest(name, digest, 'user:ada')
      expect(await ask(store(), digestBytes(digest))).toBeNull()
    })

    test('finds what is linked under another digest', async () => {
      const content = hashedContent()
      const over = { digest: content.sha512, sha512: content.sha512 }
      await pushBlob(store(), await newPublic(store()), content, over)
      expect(await ask(store(), digestBytes(content.sha256))).toMatchObject({ sha256: content.sha256 })
    })

    test('passes over hidden links, and finds them when they come back', async () => {
      const name = await newPublic(store())
      const blob = await pushBlob(store(), name)
      await store().deleteBlob(name, blob.sha256)
      expect(await ask(store(), digestBytes(blob.sha256))).toBeNull()
      await pushBlob(store(), name, blob)
      expect(await ask(store(), digestBytes(blob.sha256))).not.toBeNull()
    })

    test('goes to another blob that has the block when the first is of no use', async () => {
      const name = await newPublic(store())
      const [one, two] = [leavesOf(2, 'same one'), leavesOf(3, 'same two')]
      const shared = new Uint8Array(2 * mebi)
      shared.set(one.bytes.subarray(0, mebi))
      const other = hashedContent(shared)
      for (const content of [one, two, other]) await pushBlob(store(), name, content)
      const hash = one.leaves.slice(0, 32)
      const first = (await ask(store(), hash))!
      const second = (await ask(store(), hash, { except: [first.id] }))!
      expect(new Set([first.sha256, second.sha256])).toStrictEqual(new Set([one.sha256, other.sha256]))
      expect(await ask(store(), hash, { except: [first.id, second.id] })).toBeNull()
    })
  })

  describe('content of a private repository', () => {
    const store = sharedStore(open)

    /** A repository with a small blob, a larger one and a manifest, and every hash that leads to them. */
    async function filled(name: RepositoryName): Promise<{ asked: [Uint8Array, PublicBlobWish['as']][] }> {
      const [small, large] = [await pushBlob(store(), name), await pushBlob(store(), name, leavesOf(2))]
      const { digest } = await pushManifest(store(), name, { blobs: [small.sha256, large.sha256] })
      return {
        asked: [
          [digestBytes(small.sha256), 'block'],
          [digestBytes(small.sha256), 'root'],
          [large.leaves.slice(0, 32), 'block'],
          [large.leaves.slice(32), 'block'],
          [large.nodes[0]!, 'root'],
          [digestBytes(large.sha256), 'content'],
          [digestBytes(digest), 'block'],
        ],
      }
    }

    async function visible(asked: readonly [Uint8Array, PublicBlobWish['as']][]): Promise<boolean[]> {
      const found = await Promise.all(asked.map(([hash, as]) => ask(store(), hash, { as })))
      return [...new Set(found.map((blob) => blob !== null))]
    }

    test('is not found, settled or not', async () => {
      const { asked } = await filled(newName())
      expect(await visible(asked)).toStrictEqual([false])
      await settleAll(store())
      expect(await visible(asked)).toStrictEqual([false])
    })

    test('opens and closes with the visibility, at once', async () => {
      const name = newName()
      const { asked } = await filled(name)
      for (const settle of [false, true, false, true]) {
        await store().setVisibility(name, 'public', diskAlone)
        expect(await visible(asked)).toStrictEqual([true])
        if (settle) expect(await settleAll(store())).toBe(1)
        expect(await visible(asked)).toStrictEqual([true])
        const later = await filled(name)
        expect(await visible(later.asked)).toStrictEqual([true])
        await store().setVisibility(name, 'private', diskAlone)
        expect(await visible([...asked, ...later.asked])).toStrictEqual([false])
        if (settle) await settleAll(store())
        expect(await visible([...asked, ...later.asked])).toStrictEqual([false])
      }
      await store().setVisibility(name, 'public', diskAlone)
      await store().deleteRepository(name, 'user:ada')
      expect(await visible(asked)).toStrictEqual([false])
    })

    test('is found where a public one has it, and only as long', async () => {
      const [closed, shown] = [newName(), await newPublic(store())]
      const blob = await pushBlob(store(), closed)
      const mine = digestBytes(blob.sha256)
      expect(await ask(store(), mine)).toBeNull()
      await pushBlob(store(), shown, blob)
      expect((await ask(store(), mine))?.repository.name).toBe(shown)
      await store().setVisibility(shown, 'private', diskAlone)
      expect(await ask(store(), mine)).toBeNull()
    })

    test('is opened with what is mounted and restored while rows follow', async () => {
      const name = newName()
      const source = await pushBlob(store(), newName())
      const { digest } = await pushManifest(store(), name)
      await store().deleteManifest(name, digest, 'user:ada')
      await store().setVisibility(name, 'public', diskAlone)
      const [unsettled] = (await store().listUnsettled('', 1000)).filter(
        ({ visibility }) => visibility === 'public',
      )
      await store().settleContent({ ...unsettled!, content: 'blobs', after: '', limit: 10 })
      const from = newName()
      await pushBlob(store(), from, source)
      const { id } = (await store().findRepository(from))!
      const mount = { source: id, target: name, digest: source.sha256, lease: hour }
      await store().mountBlob({ ...mount, defaultVisibility: 'private', rules: diskAlone })
      await store().restoreManifest({
        repository: name,
        digest,
        tag: null,
        principal: 'user:ada',
        rules: diskAlone,
      })
      expect(await ask(store(), digestBytes(source.sha256))).not.toBeNull()
      expect(await ask(store(), digestBytes(digest))).not.toBeNull()
      await settleAll(store())
      expect(await ask(store(), digestBytes(digest))).not.toBeNull()
    })
  })

  describe('settling', () => {
    const store = sharedStore(open)

    test('stops when the repository was changed meanwhile, and begins again', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await store().setVisibility(name, 'public', diskAlone)
      const [before] = await store().listUnsettled('', 10)
      expect(before).toMatchObject({ visibility: 'public' })
      await store().setVisibility(name, 'private', diskAlone)
      const step = { ...before!, content: 'blobs', after: '', limit: 10 } as const
      expect(await store().settleContent(step)).toBeNull()
      expect(await store().endSettling(before!)).toBe(false)
      expect(await store().listUnsettled('', 10)).toStrictEqual([{ ...before, visibility: 'private' }])
      expect(await settleAll(store())).toBe(1)
      expect(await store().listUnsettled('', 10)).toStrictEqual([])
      expect(await store().endSettling({ ...before!, visibility: 'private' })).toBe(false)
      expect(await ask(store(), digestBytes(blob.sha256))).toBeNull()
    })

    test('finds what is pushed while the visibility changes and rows follow', async () => {
      const name = newName()
      await openSession(store(), name)
      let over = false
      const changing = (async () => {
        for (let turn = 0; !over || turn % 2 === 1; turn++) {
          await store().setVisibility(name, turn % 2 === 0 ? 'public' : 'private', diskAlone)
          await settleAll(store(), 100)
        }
      })()
      const pushed = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const digests: Digest[] = []
          for (let turn = 0; turn < 8; turn++) {
            const { sha256 } = await pushBlob(store(), name)
            digests.push(sha256, (await pushManifest(store(), name, { blobs: [sha256] })).digest)
          }
          return digests
        }),
      )
      over = true
      await changing
      await store().setVisibility(name, 'public', diskAlone)
      while ((await store().listUnsettled('', 1)).length > 0) await settleAll(store(), 100)
      for (const digest of pushed.flat()) expect(await ask(store(), digestBytes(digest))).not.toBeNull()
    })

    test('goes through repositories in pages, and leaves deleted ones alone', async () => {
      const names = ['a', 'b', 'c'].map((n) => parseRepositoryName(`${randomWord()}/${n}`))
      const ids: string[] = []
      for (const name of names) {
        const { repository } = await openSession(store(), name)
        await store().setVisibility(name, 'public', diskAlone)
        ids.push(repository.id)
      }
      ids.sort()
      await store().deleteRepository(names[1]!, 'user:ada')
      const listed = await store().listUnsettled('', 10)
      expect(listed).toHaveLength(2)
      expect(await store().listUnsettled(listed[0]!.id, 10)).toStrictEqual(listed.slice(1))
      expect(await store().listUnsettled('', 1)).toStrictEqual(listed.slice(0, 1))
    })
  })
}
