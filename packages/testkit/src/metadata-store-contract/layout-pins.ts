import { describe, expect, test } from 'vitest'
import type { MetadataStore, PlacementRules } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { diskAlone, openSession, pushManifest } from './actions.ts'
import { hashedContent, newName, sha256Of } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

const hour = 3_600_000

/** Of a backend that others cannot read. */
const notOpen = { open: false }

/** An image in a public repository, and its layout. */
export interface Shown {
  repositoryId: string
  name: RepositoryName
  digest: Digest
  bytes: Uint8Array
  root: Uint8Array
}

/** Makes one; `like`: with the same image. */
export async function show(store: MetadataStore, like?: Shown): Promise<Shown> {
  const name = newName()
  await openSession(store, name, { defaultVisibility: 'public' })
  const { digest, bytes } = await pushManifest(store, name, like === undefined ? {} : { bytes: like.bytes })
  const block = hashedContent().bytes
  const root = like?.root ?? sha256Of(block)
  const layout = { root, size: 9, blocks: [{ sha256: root, bytes: block }] }
  await store.putLayout({ repository: name, digest, layout })
  const { id: repositoryId } = (await store.findRepository(name))!
  return { repositoryId, name, digest, bytes, root }
}

/** Begins a pin in a backend that is not public, unless the rules say otherwise. */
export function beginPin(
  store: MetadataStore,
  { repositoryId, root }: Pick<Shown, 'repositoryId' | 'root'>,
  backend: string,
  rules: PlacementRules = diskAlone,
): Promise<boolean> {
  return store.beginLayoutPin({ repositoryId, backend, root, rules })
}

async function due(store: MetadataStore): Promise<(RepositoryName | null)[]> {
  return (await store.listDueLayouts(100)).map(({ repository }) => repository?.name ?? null)
}

async function postponeAll(store: MetadataStore, delay: number): Promise<void> {
  const ids = (await store.listDueLayouts(1000)).map(({ id }) => id)
  await store.postponeLayouts(ids, delay)
}

/** Which layouts have to be pinned, and which pins are wanted. */
export function layoutPinTests(open: OpenMetadataStore): void {
  describe('layouts that are due', () => {
    const store = sharedStore(open)

    test('are those that were just stored, until they are postponed', async () => {
      const [one, two] = [await show(store()), await show(store())]
      const found = await store().listDueLayouts(10)
      expect(found.map(({ digest, root }) => ({ digest, root }))).toStrictEqual(
        [one, two].map(({ digest, root }) => ({ digest, root })),
      )
      expect(found[0]?.repository).toStrictEqual(await store().findRepository(one.name))
      expect(await store().listDueLayouts(1)).toStrictEqual(found.slice(0, 1))
      await store().postponeLayouts([found[0]!.id], hour)
      expect(await due(store())).toStrictEqual([two.name])
      await store().postponeLayouts([found[1]!.id], 0)
      expect(await due(store())).toStrictEqual([two.name])
      await postponeAll(store(), hour)
      expect(await due(store())).toStrictEqual([])
    })

    test('are due again when they are computed anew', async () => {
      const { name, digest, root } = await show(store())
      await postponeAll(store(), hour)
      await store().putLayout({ repository: name, digest, layout: null })
      expect(await due(store())).toStrictEqual([])
      const layout = { root, size: 9, blocks: [{ sha256: root, bytes: new Uint8Array(9) }] }
      await store().putLayout({ repository: name, digest, layout })
      expect(await due(store())).toStrictEqual([name])
      await postponeAll(store(), hour)
    })

    test('are nobody’s when their repository is private or gone, or their manifest is deleted', async () => {
      const [closed, gone, deleted] = [await show(store()), await show(store()), await show(store())]
      await store().setVisibility(closed.name, 'private', diskAlone)
      await store().deleteRepository(gone.name, 'user:ada')
      await store().deleteManifest(deleted.name, deleted.digest, 'user:ada')
      expect(await due(store())).toStrictEqual([null, null, null])
      await settleAll(store())
      expect(await due(store())).toStrictEqual([null, null])
      await postponeAll(store(), hour)
    })
  })

  describe('pins of layouts', () => {
    const store = sharedStore(open)

    const pins = (backend: string, unseenFor = 0) =>
      store().listLayoutPins(backend, { open: false, unseenFor, limit: 10 })

    test('are noted before and after, for each backend by itself', async () => {
      const shown = await show(store())
      const { root } = shown
      for (let turn = 0; turn < 2; turn++) expect(await beginPin(store(), shown, 'kubo')).toBe(true)
      expect(await pins('kubo')).toStrictEqual([{ root, wanted: true }])
      expect(await pins('cluster')).toStrictEqual([])
      expect(await store().endLayoutPin('kubo', root, notOpen)).toBe(true)
      expect(await pins('kubo')).toStrictEqual([{ root, wanted: true }])
      await store().forgetLayoutPin('kubo', root)
      expect(await pins('kubo')).toStrictEqual([])
    })

    test('are listed after a while, those first that nobody looked at for longest', async () => {
      const images = [await show(store()), await show(store())]
      for (const image of images) await beginPin(store(), image, 'aging')
      expect(await pins('aging', hour)).toStrictEqual([])
      await store().seenLayoutPins('aging', [images[0]!.root])
      expect(await pins('aging')).toHaveLength(2)
      expect(await store().listLayoutPins('aging', { open: false, unseenFor: 0, limit: 1 })).toHaveLength(1)
    })

    test('are wanted as long as anybody shows such an image', async () => {
      const one = await show(store())
      const other = await show(store(), one)
      const wanted = async () => (await pins('twice')).map((pin) => pin.wanted)
      await beginPin(store(), one, 'twice')
      await store().deleteManifest(one.name, one.digest, 'user:ada')
      expect(await wanted()).toStrictEqual([true])
      await store().deleteRepository(other.name, 'user:ada')
      expect(await wanted()).toStrictEqual([false])
      expect(await store().endLayoutPin('twice', one.root, notOpen)).toBe(false)
      await store().restoreManifest({
        repository: one.name,
        digest: one.digest,
        tag: null,
        principal: 'user:ada',
        rules: diskAlone,
      })
      expect(await wanted()).toStrictEqual([true])
    })

    test('are looked at next when their repository was made private, and are not wanted', async () => {
      const shown = await show(store())
      const { name, root } = shown
      await beginPin(store(), shown, 'closing')
      expect(await store().endLayoutPin('closing', root, notOpen)).toBe(true)
      await store().setVisibility(name, 'private', diskAlone)
      expect(await store().endLayoutPin('closing', root, notOpen)).toBe(false)
      expect(await pins('closing', hour)).toStrictEqual([])
      await settleAll(store())
      expect(await pins('closing', hour)).toStrictEqual([{ root, wanted: false }])
    })

    test('that are forgotten make their layouts due again', async () => {
      const shown = await show(store())
      const { name, root } = shown
      await postponeAll(store(), hour)
      await beginPin(store(), shown, 'forgotten')
      expect(await due(store())).toStrictEqual([])
      await store().forgetLayoutPin('forgotten', root)
      expect(await due(store())).toStrictEqual([name])
      await postponeAll(store(), hour)
    })
  })
}
