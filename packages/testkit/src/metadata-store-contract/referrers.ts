import { describe, expect, test } from 'vitest'
import { openSession, pushManifest } from './actions.ts'
import { newName, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Referrers of a subject. */
export function referrerTests(open: OpenMetadataStore): void {
  describe('listReferrers', () => {
    const store = sharedStore(open)
    const all = { after: null, limit: 100 }

    test('is null without the repository, and empty without referrers', async () => {
      const name = newName()
      const subject = unknownDigest()
      expect(await store().listReferrers(name, subject, null, all)).toBeNull()
      const { repository } = await openSession(store(), name)
      const empty = { repository, page: { items: [], more: false } }
      expect(await store().listReferrers(name, subject, null, all)).toStrictEqual(empty)
      expect(await store().listReferrers(name, subject, 'application/x', all)).toStrictEqual(empty)
    })

    test('describes referrers, whether the subject is there or not', async () => {
      const name = newName()
      const subject = unknownDigest()
      const signature = await pushManifest(store(), name, {
        subject,
        artifactType: 'application/vnd.example.signature',
        annotations: { 'org.example.a': 'b', ключ: '"値"' },
      })
      const found = await store().listReferrers(name, subject, null, all)
      expect(found?.page.items).toStrictEqual([
        {
          digest: signature.digest,
          mediaType: signature.mediaType,
          size: signature.bytes.length,
          artifactType: 'application/vnd.example.signature',
          annotations: { 'org.example.a': 'b', ключ: '"値"' },
        },
      ])
    })

    test('keeps a missing type and missing annotations missing', async () => {
      const name = newName()
      const subject = unknownDigest()
      await pushManifest(store(), name, { subject, annotations: {} })
      await pushManifest(store(), name, { subject })
      const items = (await store().listReferrers(name, subject, null, all))!.page.items
      expect(items.map(({ artifactType }) => artifactType)).toStrictEqual([null, null])
      expect(items.map(({ annotations }) => annotations)).toContainEqual({})
      expect(items.map(({ annotations }) => annotations)).toContainEqual(null)
    })

    test('is filtered by type, ordered by digest, and paged', async () => {
      const name = newName()
      const subject = unknownDigest()
      const types = ['application/a', 'application/b', null]
      const pushed: { digest: string; artifactType: string | null }[] = []
      for (let n = 0; n < 9; n++) {
        pushed.push(await pushManifest(store(), name, { subject, artifactType: types[n % 3]! }))
      }
      const page = async (type: string | null, after: string | null, limit: number) => {
        const found = (await store().listReferrers(name, subject, type, { after, limit }))!.page
        return { digests: found.items.map(({ digest }) => String(digest)), more: found.more }
      }
      const ordered = pushed.map(({ digest }) => digest).sort()
      const ofA = pushed.filter((one) => one.artifactType === 'application/a').map(({ digest }) => digest)
      ofA.sort()
      expect(await page(null, null, 100)).toStrictEqual({ digests: ordered, more: false })
      expect(await page(null, ordered[3]!, 2)).toStrictEqual({ digests: ordered.slice(4, 6), more: true })
      expect(await page('application/a', null, 100)).toStrictEqual({ digests: ofA, more: false })
      expect(await page('application/a', ofA[0]!, 1)).toStrictEqual({ digests: [ofA[1]], more: true })
      expect(await page('application/A', null, 100)).toStrictEqual({ digests: [], more: false })
      expect(await page(null, null, 0)).toStrictEqual({ digests: [], more: true })
    })

    test('has no deleted ones and none of other repositories or subjects', async () => {
      const [name, other] = [newName(), newName()]
      const subject = unknownDigest()
      const [kept, deleted] = [
        await pushManifest(store(), name, { subject }),
        await pushManifest(store(), name, { subject }),
      ]
      await pushManifest(store(), other, { subject })
      await pushManifest(store(), name, { subject: unknownDigest() })
      await store().deleteManifest(name, deleted.digest, 'user:ada')
      const digests = async () =>
        (await store().listReferrers(name, subject, null, all))!.page.items.map(({ digest }) => digest)
      expect(await digests()).toStrictEqual([kept.digest])
      await store().putManifest(deleted)
      expect(await digests()).toStrictEqual([kept.digest, deleted.digest].sort())
    })
  })
}
