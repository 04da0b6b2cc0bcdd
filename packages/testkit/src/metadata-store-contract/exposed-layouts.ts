import { describe, expect, test } from 'vitest'
import type { RepositoryName } from '@openregistry/oci'
import { diskAlone, refused } from './actions.ts'
import { newName } from './content.ts'
import { beginPin, show, type Shown } from './layout-pins.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { openFirst } from './placement.ts'

const turns = 20

/** Layouts that are pinned where others can read them are content there, as blobs are. */
export function exposedLayoutTests(open: OpenMetadataStore): void {
  describe('layouts that are pinned in public backends', () => {
    const store = sharedStore(open)
    const close = (name: RepositoryName) => store().setVisibility(name, 'private', openFirst)
    const begin = (image: Shown, backend = 'open') => beginPin(store(), image, backend, openFirst)
    const end = ({ root }: Shown) => store().endLayoutPin('open', root, { open: true })
    const forget = ({ root }: Shown) => store().forgetLayoutPin('open', root, { released: true })
    const release = ({ repositoryId }: Shown) =>
      store().releaseLayoutPins({ repositoryId, rules: openFirst, limit: 10 })

    /** Says that an image belongs into a backend that is not public. */
    const confine = ({ name }: Shown) =>
      store().startMove({
        repository: name,
        backend: 'disk',
        rate: 0,
        principal: 'user:ada',
        rules: openFirst,
      })

    const wanted = async ({ root }: Shown, open = true) => {
      const pins = await store().listLayoutPins('open', { open, unseenFor: -1, limit: 1000 })
      return pins.find((pin) => pin.root.toHex() === root.toHex())?.wanted ?? null
    }

    test('keep a repository public from before the first block until they are gone', async () => {
      const image = await show(store())
      expect(await begin(image)).toBe(true)
      const error = await refused(close(image.name), 'CONFLICT')
      expect(error.message).toContain('1 image layout of it is in public storage (open)')
      expect(error.message).toContain(`openregistry move ${image.name} --to disk`)
      const nothing = { blobs: 0, bytes: 0, uploads: 0 }
      expect(error.detail).toStrictEqual({ backends: ['open'], ...nothing, layouts: 1 })
      expect(await end(image)).toBe(true)
      await refused(close(image.name), 'CONFLICT')
      await store().forgetLayoutPin('open', image.root)
      expect(await close(image.name)).toMatchObject({ visibility: 'private' })
    })

    test('do so in no other backend', async () => {
      const image = await show(store())
      expect(await begin(image, 'disk')).toBe(true)
      expect(await close(image.name)).toMatchObject({ visibility: 'private' })
    })

    test('do so whatever became of their image', async () => {
      const [deleted, unknown] = [await show(store()), await show(store())]
      for (const image of [deleted, unknown]) await begin(image)
      await store().deleteManifest(deleted.name, deleted.digest, 'user:ada')
      await store().putLayout({ repository: unknown.name, digest: unknown.digest, layout: null })
      for (const { name } of [deleted, unknown]) await refused(close(name), 'CONFLICT')
    })

    test('are there on account of another public repository, until that one is to be private, too', async () => {
      const one = await show(store())
      const other = await show(store(), one)
      await begin(one)
      expect(await close(one.name)).toMatchObject({ visibility: 'private' })
      const error = await refused(close(other.name), 'CONFLICT')
      expect(error.detail).toMatchObject({ layouts: 1 })
    })

    test('keep the last of several public that are made private at once', async () => {
      for (let turn = 0; turn < turns; turn++) {
        const one = await show(store())
        const other = await show(store(), one)
        await begin(one)
        const closed = await Promise.allSettled([close(one.name), close(other.name)])
        expect(closed.map(({ status }) => status).sort()).toStrictEqual(['fulfilled', 'rejected'])
      }
    })

    test('are not begun when their repository is made private at the same moment, or keep it public', async () => {
      for (let turn = 0; turn < turns; turn++) {
        const image = await show(store())
        const closing = close(image.name).then(
          () => true,
          () => false,
        )
        const [begun, closed] = await Promise.all([begin(image), closing])
        expect(begun).toBe(!closed)
      }
    })

    test('are never begun for what may not be there', async () => {
      const [closed, gone, confined] = [await show(store()), await show(store()), await show(store())]
      await close(closed.name)
      await store().deleteRepository(gone.name, 'user:ada')
      await confine(confined)
      for (const image of [closed, gone]) {
        expect(await begin(image)).toBe(false)
        expect(await begin(image, 'disk')).toBe(false)
      }
      expect(await begin(confined)).toBe(false)
      expect(await begin(confined, 'disk')).toBe(true)
      const due = await store().listDueLayouts(1000)
      const found = (image: Shown) => due.find(({ repository }) => repository?.name === image.name)
      expect(found(confined)?.confined).toBe(true)
      expect(await wanted(closed)).toBeNull()
    })

    test('are not wanted any more when their repository is moved away, and may be forgotten once they are there', async () => {
      const image = await show(store())
      await begin(image)
      await confine(image)
      expect(await wanted(image)).toBe(false)
      expect(await wanted(image, false)).toBe(true)
      expect(await release(image)).toStrictEqual([{ root: image.root, backend: 'open', underWay: true }])
      await forget(image)
      expect(await end(image)).toBe(false)
      await forget(image)
      // It was looked at since, so that it may be there again.
      expect(await wanted(image)).toBe(false)
      expect(await release(image)).toMatchObject([{ underWay: false }])
      await forget(image)
      expect(await release(image)).toStrictEqual([])
      expect(await wanted(image)).toBeNull()
      expect(await close(image.name)).toMatchObject({ visibility: 'private' })
    })

    test('are not forgotten when another repository has begun them since', async () => {
      const one = await show(store())
      const other = await show(store(), one)
      await store().setVisibility(other.name, 'private', diskAlone)
      await begin(one)
      await end(one)
      await confine(one)
      expect(await release(one)).toHaveLength(1)
      await store().setVisibility(other.name, 'public', openFirst)
      await store().putLayout({
        repository: other.name,
        digest: other.digest,
        layout: { root: other.root, size: 9, blocks: [{ sha256: other.root, bytes: new Uint8Array(9) }] },
      })
      expect(await begin(other)).toBe(true)
      await forget(one)
      expect(await wanted(one)).toBe(true)
      expect(await release(one)).toStrictEqual([])
    })

    test('stay with a repository that may be there', async () => {
      const image = await show(store())
      await begin(image)
      expect(await release(image)).toStrictEqual([])
      expect(
        await store().releaseLayoutPins({ repositoryId: newName(), rules: openFirst, limit: 1 }),
      ).toEqual([])
    })

    test('are told to the repository that they were made for', async () => {
      const one = await show(store())
      const other = await show(store(), one)
      const pinnedFor = ({ repositoryId, digest }: Shown) => store().listPinnedLayouts(repositoryId, [digest])
      await begin(one)
      expect(await pinnedFor(one)).toStrictEqual([])
      await end(one)
      const since = expect.any(Number) as number
      expect(await pinnedFor(one)).toStrictEqual([{ manifest: one.digest, backend: 'open', since }])
      expect(await pinnedFor(other)).toStrictEqual([])
      await begin(other)
      expect(await pinnedFor(other)).toMatchObject([{ backend: 'open' }])
    })
  })
}
