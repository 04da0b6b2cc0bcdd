import { describe, expect, test } from 'vitest'
import type { MetadataStore, UploadSession } from '@openregistry/core'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { commitOf, hour, openSession } from './actions.ts'
import { hashedContent, newName, type HashedContent } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { openFirst, placesOf, pushBy, repositoryOf } from './placement.ts'

const turns = 20

/** Whether a step was refused, as it may be; any other fault is thrown. */
async function unlessRefused<T>(step: Promise<T>): Promise<T | null> {
  try {
    return await step
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'CONFLICT') return null
    throw error
  }
}

/** A change of visibility while others push and mount: what is private is nowhere that others can read. */
export function placementRaceTests(open: OpenMetadataStore): void {
  describe('a repository becomes private while', () => {
    const store = sharedStore(open)
    const close = (name: RepositoryName) => unlessRefused(store().setVisibility(name, 'private', openFirst))

    test('blobs are pushed to it', async () => {
      for (let turn = 0; turn < turns; turn++) {
        const name = await repositoryOf(store(), 'public')
        const contents = [hashedContent(), hashedContent(), hashedContent()]
        const push = (content: HashedContent) => pushBy(store(), openFirst, name, content)
        const [facts] = await Promise.all([close(name), ...contents.map(push)])
        const isPrivate = facts !== null
        for (const { sha256 } of contents) {
          expect(await placesOf(store(), name, sha256)).toStrictEqual([isPrivate ? 'disk' : 'open'])
        }
      }
    })

    test('uploads are begun: each is where it may be, or was there before', async () => {
      for (let turn = 0; turn < turns; turn++) {
        const name = await repositoryOf(store(), 'public')
        const begin = () => openSession(store(), name, { rules: openFirst })
        const [facts, ...sessions] = await Promise.all([close(name), begin(), begin()])
        const opened = sessions as UploadSession[]
        if (facts !== null) expect(opened.map(({ backend }) => backend)).toStrictEqual(['disk', 'disk'])
        const content = hashedContent()
        const [first] = opened
        await store().commitBlob(commitOf(first!.id, content, { rules: openFirst }))
        expect(await placesOf(store(), name, content.sha256)).toStrictEqual([first!.backend])
      }
    })

    test('blobs are mounted into it', async () => {
      const source = await repositoryOf(store(), 'public')
      const blob = await pushBy(store(), openFirst, source)
      const { id } = (await store().findRepository(source))!
      for (let turn = 0; turn < turns; turn++) {
        const name = await repositoryOf(store(), 'public')
        const input = { source: id, target: name, defaultVisibility: 'public', lease: hour } as const
        const mount = () => store().mountBlob({ ...input, digest: blob.sha256, rules: openFirst })
        const [facts, ...mounted] = await Promise.all([close(name), mount(), mount()])
        expect(mounted.every((done) => done === (facts === null))).toBe(true)
      }
    })

    test('another repository does so: one of two that share a copy stays public', async () => {
      for (let turn = 0; turn < turns; turn++) {
        const names = [await repositoryOf(store(), 'public'), await repositoryOf(store(), 'public')]
        await shareLeftOver(store(), names)
        const closed = await Promise.all(names.map(close))
        expect(closed.filter((facts) => facts !== null)).toHaveLength(1)
      }
    })
  })
}

/** Gives both repositories the same content on the disk, and leaves a copy in the public backend that neither relies on. */
async function shareLeftOver(store: MetadataStore, names: readonly RepositoryName[]): Promise<void> {
  const content = hashedContent()
  const gone = newName()
  await repositoryOf(store, 'public', gone)
  await pushBy(store, openFirst, gone, content)
  await store.deleteRepository(gone, 'user:ada')
  for (const name of names) await pushBy(store, { ...openFirst, backends: ['disk', 'open'] }, name, content)
}
