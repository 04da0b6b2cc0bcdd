import { describe, expect, test } from 'vitest'
import type { ListingScope, MetadataStore } from '@openregistry/core'
import { parseRepositoryName, type Tag } from '@openregistry/oci'
import { diskAlone, openSession, pushBlob, pushManifest } from './actions.ts'
import { newName, randomWord } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const everything: ListingScope = { kind: 'all' }
const publicOnly: ListingScope = { kind: 'public' }

/** Names in the catalogue that begin with a namespace. */
async function listed(store: MetadataStore, scope: ListingScope, namespace: string): Promise<string[]> {
  const { items } = await store.listRepositories(scope, { after: null, limit: 10_000 })
  return items.map(({ name }) => String(name)).filter((name) => name.startsWith(`${namespace}/`))
}

/** Repositories, their visibility and the catalogue. */
export function repositoryTests(open: OpenMetadataStore): void {
  describe('setVisibility', () => {
    const store = sharedStore(open)

    test('changes what every read says', async () => {
      const name = newName()
      const { repository } = await openSession(store(), name)
      const changed = { ...repository, visibility: 'public' }
      expect(await store().setVisibility(name, 'public', diskAlone)).toStrictEqual(changed)
      expect(await store().setVisibility(name, 'public', diskAlone)).toStrictEqual(changed)
      expect(await store().findRepository(name)).toStrictEqual(changed)
    })

    test('is null when the repository is not there', async () => {
      expect(await store().setVisibility(newName(), 'public', diskAlone)).toBeNull()
    })
  })

  describe('listRepositories', () => {
    const store = sharedStore(open)

    test('has repositories that hold or held a manifest', async () => {
      const namespace = randomWord()
      const [empty, blobOnly, full, past] = ['a', 'b', 'c', 'd'].map((n) =>
        parseRepositoryName(`${namespace}/${n}`),
      )
      await openSession(store(), empty!)
      await pushBlob(store(), blobOnly!)
      await pushManifest(store(), full!, { tags: ['v1' as Tag] })
      const { digest } = await pushManifest(store(), past!)
      await store().deleteManifest(past!, digest, 'user:ada')
      expect(await listed(store(), everything, namespace)).toStrictEqual([full, past])
      await store().deleteRepository(full!, 'user:ada')
      expect(await listed(store(), everything, namespace)).toStrictEqual([past])
      await openSession(store(), full!)
      expect(await listed(store(), everything, namespace)).toStrictEqual([past])
    })

    test('shows public repositories alone when it is told to', async () => {
      const namespace = randomWord()
      const [open, closed] = [newName(namespace), newName(namespace)]
      await pushManifest(store(), open, { defaultVisibility: 'public' })
      await pushManifest(store(), closed, { defaultVisibility: 'private' })
      expect(await listed(store(), publicOnly, namespace)).toStrictEqual([open])
      expect(await listed(store(), everything, namespace)).toHaveLength(2)
      await store().setVisibility(open, 'private', diskAlone)
      await store().setVisibility(closed, 'public', diskAlone)
      expect(await listed(store(), publicOnly, namespace)).toStrictEqual([closed])
    })
  })

  describe('listRepositories by page', () => {
    const store = sharedStore(open)

    test('is ordered bytewise, over all lengths and depths', async () => {
      const shuffled = ['b', 'a/b', 'a', 'a-b', 'a/b/c', 'a.b', 'aa', 'a1', 'a__b', 'z']
      const ordered = ['a', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a1', 'a__b', 'aa', 'b', 'z']
      for (const name of shuffled) await pushManifest(store(), parseRepositoryName(name))
      const page = async (after: string | null, limit: number) => {
        const { items, more } = await store().listRepositories(everything, { after, limit })
        return { names: items.map(({ name }) => String(name)), more }
      }
      expect(await page(null, 100)).toStrictEqual({ names: ordered, more: false })
      expect(await page(null, 3)).toStrictEqual({ names: ordered.slice(0, 3), more: true })
      expect(await page('a/', 2)).toStrictEqual({ names: ['a/b', 'a/b/c'], more: true })
      expect(await page('aa', 2)).toStrictEqual({ names: ['b', 'z'], more: false })
      expect(await page('z', 2)).toStrictEqual({ names: [], more: false })
      expect(await page(null, 0)).toStrictEqual({ names: [], more: true })
      const [first] = (await store().listRepositories(everything, { after: null, limit: 1 })).items
      expect(first).toStrictEqual(await store().findRepository(parseRepositoryName('a')))
    })
  })
}
