import { describe, expect, test } from 'vitest'
import type { Tag } from '@openregistry/oci'
import {
  blobAt,
  diskAlone,
  hour,
  manifestAt,
  manifestOf,
  openSession,
  pendingKeys,
  pushBlob,
  pushManifest,
  tagsOf,
} from './actions.ts'
import { hashedContent, newName, randomWord } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const many = 40
const numbers = Array.from({ length: many }, (_, n) => n)
const tag = (text: string): Tag => text as Tag

/** Many steps at once on the same rows: they wait for each other, and none fails. */
export function concurrencyTests(open: OpenMetadataStore): void {
  describe('many at once', () => {
    const store = sharedStore(open)

    test('create one repository', async () => {
      const name = newName()
      const sessions = await Promise.all(numbers.map(() => openSession(store(), name)))
      expect(new Set(sessions.map(({ repository }) => repository.id)).size).toBe(1)
      expect(new Set(sessions.map(({ id }) => id)).size).toBe(many)
    })

    test('push the same blob: one object stays, all others are given away', async () => {
      const content = hashedContent()
      const names = numbers.map((n) => newName(`same${n % 4}`))
      const pushes = await Promise.all(names.map((name) => pushBlob(store(), name, content)))
      const kept = await blobAt(store(), names[0]!, content.sha256)
      const keys = pushes.map(({ stored }) => (stored.kind === 'object' ? stored.key : ''))
      const pending = new Set<string>(await pendingKeys(store()))
      const left = keys.filter((key) => !pending.has(key))
      expect(left).toHaveLength(1)
      expect(kept?.location).toMatchObject({ key: left[0] })
      for (const name of names) {
        expect((await blobAt(store(), name, content.sha256))?.location).toMatchObject({ key: left[0] })
      }
    })

    test('push the same tag: one of the manifests has it, and all are there', async () => {
      const name = newName()
      const manifests = numbers.map(() => manifestOf(name, { tags: [tag('latest')] }))
      await Promise.all(manifests.map((manifest) => store().putManifest(manifest)))
      const latest = await manifestAt(store(), name, 'latest')
      expect(manifests.map(({ digest }) => digest)).toContain(latest?.digest)
      for (const { digest } of manifests) expect(await manifestAt(store(), name, digest)).not.toBeNull()
      expect(await tagsOf(store(), name)).toStrictEqual(['latest'])
    })

    test('push the same manifest', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const manifest = manifestOf(name, { blobs: [blob.sha256] })
      await Promise.all(numbers.map((n) => store().putManifest({ ...manifest, tags: [tag(`t${n}`)] })))
      expect(await tagsOf(store(), name)).toHaveLength(many)
    })

    test('keep what they need while others delete', async () => {
      const name = newName()
      const shared = await pushBlob(store(), name)
      const gone = await Promise.all(
        numbers.map(() => pushManifest(store(), name, { blobs: [shared.sha256] })),
      )
      const kept = numbers.map(() => manifestOf(name, { blobs: [shared.sha256] }))
      await Promise.all([
        ...gone.map(({ digest }) => store().deleteManifest(name, digest, 'user:ada')),
        ...kept.map((manifest) => store().putManifest(manifest)),
      ])
      expect(await blobAt(store(), name, shared.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
      await Promise.all(kept.map(({ digest }) => store().deleteManifest(name, digest, 'user:ada')))
      expect((await blobAt(store(), name, shared.sha256))?.unreferencedSince).not.toBeNull()
    })

    test('delete and create a repository: whatever was acknowledged is consistent', async () => {
      const name = newName()
      const results = await Promise.allSettled(
        numbers.map(async (n) =>
          n % 5 === 0 ? store().deleteRepository(name, 'user:ada') : pushManifest(store(), name),
        ),
      )
      expect(results.filter(({ status }) => status === 'rejected')).toStrictEqual([])
    })

    test('mount, hide and renew one blob', async () => {
      const source = newName()
      const blob = await pushBlob(store(), source)
      const { id } = (await store().findRepository(source))!
      const target = newName()
      await Promise.all(
        numbers.map(async (n) => {
          const input = { target, defaultVisibility: 'private', digest: blob.sha256, lease: hour } as const
          if (n % 3 === 0) return store().deleteBlob(target, blob.sha256)
          if (n % 3 === 1) return store().renewLease(id, blob.sha256, hour)
          return store().mountBlob({ source: id, ...input, rules: diskAlone })
        }),
      )
      expect(await blobAt(store(), source, blob.sha256)).not.toBeNull()
    })

    test('see everything that was acknowledged before they asked', async () => {
      const name = newName(randomWord())
      await Promise.all(
        numbers.map(async (n) => {
          const { digest } = await pushManifest(store(), name, { tags: [tag(`t${n}`)] })
          expect((await manifestAt(store(), name, `t${n}`))?.digest).toBe(digest)
          await store().deleteManifest(name, digest, 'user:ada')
          expect(await manifestAt(store(), name, `t${n}`)).toBeNull()
        }),
      )
    })
  })
}
