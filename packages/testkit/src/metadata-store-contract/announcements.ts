import type { DueRoot, MetadataStore } from '@openregistry/core'
import type { Tag } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { diskAlone, pushManifest } from './actions.ts'
import { hashedContent, sha256Of } from './content.ts'
import { show, type Shown } from './layout-pins.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

const hour = 3_600_000
const [v1] = ['v1'] as Tag[]

/** A public repository with an image that has a tag, and its layout. */
async function showTagged(store: MetadataStore, like?: Shown): Promise<Shown> {
  const shown = await show(store, like)
  await pushManifest(store, shown.name, { bytes: shown.bytes, tags: [v1!] })
  return shown
}

/** When the network is to be told of images and repositories, and when it was. */
export function announcementTests(open: OpenMetadataStore): void {
  describe('announcements', () => {
    const store = sharedStore(open)

    const due = (of: 'layouts' | 'directories'): Promise<DueRoot[]> => store().listDueRoots(of, 100)

    async function end(roots: readonly DueRoot[], again: number, announced = true): Promise<void> {
      for (const { of, root } of roots) await store().endAnnouncement({ of, root, announced, again })
    }

    /** Those that are due and wanted; all others wait from now on. */
    async function wanted(of: 'layouts' | 'directories'): Promise<Uint8Array[]> {
      const roots = await due(of)
      await end(roots, hour, false)
      return roots.filter((one) => one.wanted).map(({ root }) => root)
    }

    const announcedOf = async ({ repositoryId, digest }: Shown, within = hour): Promise<string[]> => {
      const found = await store().listAnnouncedLayouts(repositoryId, { manifests: [digest], within })
      return found.map(({ manifest }) => manifest)
    }

    describe('layouts that the network is to be told of', () => {
      test('are those that were just stored, until they were announced, and again after a while', async () => {
        const [one, two] = [await showTagged(store()), await showTagged(store())]
        const roots = await due('layouts')
        expect(roots.map(({ root, wanted }) => [root, wanted])).toStrictEqual([
          [one.root, true],
          [two.root, true],
        ])
        expect(await store().listDueRoots('layouts', 1)).toStrictEqual(roots.slice(0, 1))
        await end(roots.slice(0, 1), hour)
        expect(await due('layouts')).toStrictEqual(roots.slice(1))
        await end(roots.slice(1), 0)
        expect(await due('layouts')).toStrictEqual(roots.slice(1))
        await end(roots, hour)
      })

      test('stay announced when they are computed anew', async () => {
        const shown = await showTagged(store())
        await end(await due('layouts'), hour)
        const { name, digest, root } = shown
        const layout = { root, size: 9, blocks: [{ sha256: root, bytes: new Uint8Array(9) }] }
        await store().putLayout({ repository: name, digest, layout })
        expect(await due('layouts')).toStrictEqual([])
        expect(await announcedOf(shown)).toStrictEqual([digest])
      })

      test('are announced for all who show the same, and by themselves when nobody took note', async () => {
        const one = await showTagged(store())
        const other = await showTagged(store(), one)
        const [first, second] = await due('layouts')
        await end([first!], hour, false)
        expect(await due('layouts')).toStrictEqual([second])
        expect([await announcedOf(one), await announcedOf(other)]).toStrictEqual([[], []])
        await end([second!], hour)
        expect([await announcedOf(one), await announcedOf(other)]).toStrictEqual([[one.digest], [one.digest]])
      })

      test('are wanted while they are public and have a tag', async () => {
        const [closed, gone, deleted, untagged] = [
          await showTagged(store()),
          await showTagged(store()),
          await showTagged(store()),
          await show(store()),
        ]
        const kept = await showTagged(store())
        await store().setVisibility(closed.name, 'private', diskAlone)
        await store().deleteRepository(gone.name, 'user:ada')
        await store().deleteManifest(deleted.name, deleted.digest, 'user:ada')
        expect(await due('layouts')).toHaveLength(5)
        expect(await wanted('layouts')).toStrictEqual([kept.root])
        await settleAll(store())
        await pushManifest(store(), untagged.name, { bytes: untagged.bytes, tags: [v1!] })
        await end([{ of: { layout: 0 }, root: untagged.root, wanted: true }], 0)
        expect(await wanted('layouts')).toStrictEqual([untagged.root])
      })

      test('that are not wanted are put off, many at once, and the others keep their turn', async () => {
        const [kept, ...others] = [
          await showTagged(store()),
          await showTagged(store()),
          await showTagged(store()),
        ]
        const roots = await due('layouts')
        await store().postponeRoots(
          roots.slice(1).map(({ of }) => of),
          hour,
        )
        expect((await due('layouts')).map(({ root }) => root)).toStrictEqual([kept.root])
        await store().postponeRoots(
          roots.map(({ of }) => of),
          0,
        )
        expect(await due('layouts')).toHaveLength(1 + others.length)
        await store().postponeRoots([], hour)
        await end(await due('layouts'), hour)
      })

      test('are remembered for as long as peers do, whoever sees them now', async () => {
        const shown = await showTagged(store())
        expect(await announcedOf(shown)).toStrictEqual([])
        const before = Date.now()
        await end(await due('layouts'), hour)
        const wish = { manifests: [shown.digest, hashedContent().sha256], within: hour }
        const [found] = await store().listAnnouncedLayouts(shown.repositoryId, wish)
        expect(found?.manifest).toBe(shown.digest)
        expect(Math.abs((found?.at ?? 0) - before)).toBeLessThan(60_000)
        expect(await announcedOf(shown, -hour)).toStrictEqual([])
        await store().setVisibility(shown.name, 'private', diskAlone)
        expect(await announcedOf(shown)).toStrictEqual([shown.digest])
      })
    })

    describe('directories that the network is to be told of', () => {
      const put = async ({ repositoryId }: Shown, root: Uint8Array): Promise<void> =>
        store().putDirectory({ repositoryId, root, blocks: [], keep: 0, name: null })
      const rootOf = (text: string): Uint8Array => sha256Of(new TextEncoder().encode(text))

      test('are those that were stored, while the repository is public and has tags', async () => {
        const [shown, empty, closed] = [
          await showTagged(store()),
          await show(store()),
          await showTagged(store()),
        ]
        for (const one of [shown, empty, closed]) await put(one, rootOf(one.name))
        await store().setVisibility(closed.name, 'private', diskAlone)
        expect(await wanted('directories')).toStrictEqual([rootOf(shown.name)])
        expect(await due('directories')).toStrictEqual([])
      })

      test('that take the place of others wait for their turn, and whoever ends another turn does not end it', async () => {
        const shown = await showTagged(store())
        const [first, second] = [rootOf('first'), rootOf('second')]
        await put(shown, first)
        const [one] = await due('directories')
        await put(shown, second)
        await end([one!], hour)
        expect((await due('directories')).map((other) => other.root)).toStrictEqual([second])
        await store().postponeRoots([one!.of], hour)
        expect(await due('directories')).toStrictEqual([])
        await end([{ ...one!, root: second }], 20 * hour)
        expect(await due('directories')).toStrictEqual([])
        // Soon, but not at once: pushes come in numbers.
        await put(shown, first)
        expect(await due('directories')).toStrictEqual([])
        await end([{ ...one!, root: first }], -1)
        await put(shown, second)
        expect((await due('directories')).map((other) => other.root)).toStrictEqual([second])
        await end(await due('directories'), hour)
      })
    })
  })
}
