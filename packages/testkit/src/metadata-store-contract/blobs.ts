import { describe, expect, test } from 'vitest'
import { newUploadId } from '@openregistry/core'
import {
  backend,
  blobAt,
  commitOf,
  hour,
  openSession,
  partAt,
  pendingKeys,
  pushBlob,
  pushManifest,
  refused,
} from './actions.ts'
import { hashedContent, newName, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Committing blobs and finding them. */
export function blobTests(open: OpenMetadataStore): void {
  describe('findBlob', () => {
    const store = sharedStore(open)

    test('tells a missing repository from a missing blob', async () => {
      const name = newName()
      expect(await store().findBlob(name, unknownDigest())).toBeNull()
      const { repository } = await openSession(store(), name)
      expect(await store().findBlob(name, unknownDigest())).toStrictEqual({ repository, blob: null })
    })

    test('shows a blob only where it was linked', async () => {
      const [name, other] = [newName(), newName()]
      const blob = await pushBlob(store(), name)
      await openSession(store(), other)
      expect(await blobAt(store(), name, blob.sha256)).not.toBeNull()
      expect(await blobAt(store(), other, blob.sha256)).toBeNull()
    })

    test('knows a blob only by the digest it was pushed under', async () => {
      const name = newName()
      const content = hashedContent()
      await pushBlob(store(), name, content, { digest: content.sha512, sha512: content.sha512 })
      expect(await blobAt(store(), name, content.sha256)).toBeNull()
      expect(await blobAt(store(), name, content.sha512)).toMatchObject({
        digest: content.sha512,
        cid: content.cid,
      })
      await pushBlob(store(), name, content)
      expect(await blobAt(store(), name, content.sha256)).toMatchObject({ digest: content.sha256 })
      expect(await blobAt(store(), name, content.sha512)).not.toBeNull()
    })
  })

  commitTests(open)
  sameContentTests(open)
  leaseTests(open)
  leasesTests(open)
}

function commitTests(open: OpenMetadataStore): void {
  describe('commitBlob', () => {
    const store = sharedStore(open)

    test('makes the blob readable with everything that is known of it', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      if (blob.stored.kind !== 'object') throw new Error('not an object')
      const found = await store().findBlob(name, blob.sha256)
      expect(found).toStrictEqual({
        repository: await store().findRepository(name),
        blob: {
          digest: blob.sha256,
          size: blob.size,
          cid: blob.cid,
          location: { kind: 'object', backend, key: blob.stored.key },
          others: [],
          leaseUntil: expect.any(Number) as number,
          unreferencedSince: null,
          now: expect.any(Number) as number,
        },
      })
      const { leaseUntil, now } = found!.blob!
      expect(leaseUntil).toBeLessThanOrEqual(now + hour)
      expect(leaseUntil).toBeGreaterThan(now + hour / 2)
    })

    test.each([0, 1, 16_384])('keeps %i bytes inline', async (size) => {
      const name = newName()
      const content = hashedContent(new Uint8Array(size).fill(65))
      await pushBlob(store(), name, content, { stored: { kind: 'inline', bytes: content.bytes } })
      expect(await blobAt(store(), name, content.sha256)).toMatchObject({
        size,
        location: { kind: 'inline', bytes: content.bytes },
      })
      const described = await store().findBlob(name, content.sha256, { bytes: false })
      expect(described?.blob).toMatchObject({ size, location: { kind: 'inline', bytes: new Uint8Array(0) } })
    })

    test('takes a blob of many leaves with their nodes', async () => {
      const name = newName()
      const content = hashedContent(new Uint8Array(3 * 1024 * 1024 + 5).fill(1))
      await pushBlob(store(), name, content)
      expect(await blobAt(store(), name, content.sha256)).toMatchObject({
        size: content.size,
        cid: content.cid,
      })
    })

    test('ends the session', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      expect(await store().findUpload(name, blob.upload)).toBeNull()
      await refused(store().commitBlob(commitOf(blob.upload, hashedContent())), 'BLOB_UPLOAD_UNKNOWN')
      expect(await store().cancelUpload(name, blob.upload)).toBe(false)
    })

    test('keeps the only part as the blob', async () => {
      const name = newName()
      const content = hashedContent()
      const { id } = await openSession(store(), name)
      const part = partAt(id, 0, content)
      await store().addPart({ upload: id, part, lifetime: hour })
      await store().commitBlob(commitOf(id, content, { offset: content.size, stored: part.stored }))
      expect((await pendingKeys(store())).filter((key) => key.startsWith(id))).toStrictEqual([])
      expect(await blobAt(store(), name, content.sha256)).toMatchObject({
        location: { kind: 'object', key: part.stored.kind === 'object' ? part.stored.key : '' },
      })
    })

    test('gives joined parts away', async () => {
      const content = hashedContent('abcdef')
      const { id } = await openSession(store(), newName())
      const parts = [partAt(id, 0, hashedContent('abc')), partAt(id, 3, hashedContent('def'))]
      for (const part of parts) await store().addPart({ upload: id, part, lifetime: hour })
      await store().commitBlob(commitOf(id, content, { offset: 6 }))
      const keys = parts.map(({ stored }) => (stored.kind === 'object' ? stored.key : ''))
      expect((await pendingKeys(store())).filter((key) => key.startsWith(id)).sort()).toStrictEqual(
        keys.sort(),
      )
    })

    test('refuses when the session stands elsewhere, and leaves it open', async () => {
      const name = newName()
      const content = hashedContent('abcdef')
      const { id } = await openSession(store(), name)
      await store().addPart({ upload: id, part: partAt(id, 0, hashedContent('abc')), lifetime: hour })
      const error = await refused(store().commitBlob(commitOf(id, content)), 'UPLOAD_OFFSET_MISMATCH')
      expect(error.detail).toMatchObject({ offset: 3 })
      expect(await blobAt(store(), name, content.sha256)).toBeNull()
      expect(await store().listParts(id)).toHaveLength(1)
    })

    test('knows no unknown, cancelled or expired session', async () => {
      const name = newName()
      const [cancelled, expired] = [
        await openSession(store(), name),
        await openSession(store(), name, { lifetime: 0 }),
      ]
      await store().cancelUpload(name, cancelled.id)
      const content = hashedContent()
      for (const upload of [cancelled.id, expired.id, newUploadId()]) {
        await refused(store().commitBlob(commitOf(upload, content)), 'BLOB_UPLOAD_UNKNOWN')
      }
      expect(await blobAt(store(), name, content.sha256)).toBeNull()
    })
  })
}

function sameContentTests(open: OpenMetadataStore): void {
  describe('commitBlob of content that is there', () => {
    const store = sharedStore(open)

    test('keeps the first object and gives the new one away', async () => {
      const [name, other] = [newName(), newName()]
      const first = await pushBlob(store(), name)
      const second = await pushBlob(store(), other, hashedContent(first.bytes))
      if (first.stored.kind !== 'object' || second.stored.kind !== 'object') throw new Error('not objects')
      const pending = await pendingKeys(store())
      expect(pending).toContain(second.stored.key)
      expect(pending).not.toContain(first.stored.key)
      for (const repository of [name, other]) {
        expect(await blobAt(store(), repository, first.sha256)).toMatchObject({
          location: { kind: 'object', key: first.stored.key },
        })
      }
    })

    test('has one copy inline, too', async () => {
      const [name, other] = [newName(), newName()]
      const content = hashedContent()
      const inline = { stored: { kind: 'inline', bytes: content.bytes } } as const
      await pushBlob(store(), name, content, inline)
      await pushBlob(store(), other, content, inline)
      expect(await blobAt(store(), other, content.sha256)).toMatchObject({ location: { kind: 'inline' } })
    })

    test('brings a hidden link back', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      expect(await store().deleteBlob(name, blob.sha256)).toBe(true)
      expect(await blobAt(store(), name, blob.sha256)).toBeNull()
      await pushBlob(store(), name, hashedContent(blob.bytes))
      expect(await blobAt(store(), name, blob.sha256)).not.toBeNull()
    })

    test('lengthens a lease and never shortens one', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const first = (await blobAt(store(), name, blob.sha256))!.leaseUntil!
      await pushBlob(store(), name, blob, { lease: 2 * hour, ...fresh() })
      const second = (await blobAt(store(), name, blob.sha256))!.leaseUntil!
      expect(second).toBeGreaterThanOrEqual(first + hour)
      await pushBlob(store(), name, blob, { lease: 1, ...fresh() })
      expect((await blobAt(store(), name, blob.sha256))!.leaseUntil).toBe(second)
    })

    test('gives no lease to a link that a manifest needs', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await pushManifest(store(), name, { blobs: [blob.sha256] })
      await pushBlob(store(), name, hashedContent(blob.bytes))
      const found = await blobAt(store(), name, blob.sha256)
      expect(found).toMatchObject({ leaseUntil: null, unreferencedSince: null })
    })
  })
}

/** So that the object of the first push is not named again. */
function fresh(): { stored: { kind: 'inline'; bytes: Uint8Array } } {
  return { stored: { kind: 'inline', bytes: new Uint8Array(1) } }
}

function leasesTests(open: OpenMetadataStore): void {
  describe('renewLeases', () => {
    const store = sharedStore(open)

    test('renews what is in its second half, of this repository alone', async () => {
      const [name, other] = [newName(), newName()]
      const ending = await pushBlob(store(), name, undefined, { lease: hour })
      const over = await pushBlob(store(), name, undefined, { lease: 0 })
      const long = await pushBlob(store(), name, undefined, { lease: 9 * hour })
      const needed = await pushBlob(store(), name)
      await pushManifest(store(), name, { blobs: [needed.sha256] })
      const elsewhere = await pushBlob(store(), other, undefined, { lease: hour })
      const before = (await blobAt(store(), name, long.sha256))!
      await store().renewLeases((await store().findRepository(name))!.id, 4 * hour)
      for (const { sha256 } of [ending, over]) {
        const found = (await blobAt(store(), name, sha256))!
        expect(found.leaseUntil).toBeGreaterThan(found.now + 3 * hour)
      }
      expect((await blobAt(store(), name, long.sha256))!.leaseUntil).toBe(before.leaseUntil)
      expect((await blobAt(store(), name, needed.sha256))!.leaseUntil).toBeNull()
      const there = (await blobAt(store(), other, elsewhere.sha256))!
      expect(there.leaseUntil).toBeLessThanOrEqual(there.now + hour)
    })

    test('leaves hidden links to the collector', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name, undefined, { lease: 0 })
      await store().deleteBlob(name, blob.sha256)
      await store().renewLeases((await store().findRepository(name))!.id, hour)
      await store().collectLinks({ grace: 0, limit: 1000 })
      expect(await blobAt(store(), name, blob.sha256)).toBeNull()
    })
  })
}

function leaseTests(open: OpenMetadataStore): void {
  describe('renewLease', () => {
    const store = sharedStore(open)

    test('lengthens a lease and never shortens one', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const { id } = (await store().findRepository(name))!
      expect(await store().renewLease(id, blob.sha256, 3 * hour)).toBe(true)
      const long = (await blobAt(store(), name, blob.sha256))!
      expect(long.leaseUntil).toBeGreaterThan(long.now + 2 * hour)
      expect(await store().renewLease(id, blob.sha256, hour)).toBe(true)
      expect((await blobAt(store(), name, blob.sha256))!.leaseUntil).toBe(long.leaseUntil)
    })

    test('gives a lease to an unreferenced link', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const { digest } = await pushManifest(store(), name, { blobs: [blob.sha256] })
      await store().deleteManifest(name, digest, 'user:ada')
      const { id } = (await store().findRepository(name))!
      expect(await store().renewLease(id, blob.sha256, hour)).toBe(true)
      const found = (await blobAt(store(), name, blob.sha256))!
      expect(found.leaseUntil).toBeGreaterThan(found.now)
      expect(found.unreferencedSince).not.toBeNull()
    })

    test('leaves a link that a manifest needs as it is', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await pushManifest(store(), name, { blobs: [blob.sha256] })
      const { id } = (await store().findRepository(name))!
      expect(await store().renewLease(id, blob.sha256, hour)).toBe(true)
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({ leaseUntil: null })
    })

    test('is false when the link is gone, hidden, or of a deleted repository', async () => {
      const name = newName()
      const [hidden, deleted] = [await pushBlob(store(), name), await pushBlob(store(), name)]
      const { id } = (await store().findRepository(name))!
      expect(await store().renewLease(id, unknownDigest(), hour)).toBe(false)
      await store().deleteBlob(name, hidden.sha256)
      expect(await store().renewLease(id, hidden.sha256, hour)).toBe(false)
      await store().deleteRepository(name, 'user:ada')
      expect(await store().renewLease(id, deleted.sha256, hour)).toBe(false)
    })
  })
}
