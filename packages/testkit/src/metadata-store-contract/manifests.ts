import { describe, expect, test } from 'vitest'
import { mediaTypes, type Digest, type Tag } from '@openregistry/oci'
import {
  blobAt,
  manifestAt,
  manifestOf,
  openSession,
  pushBlob,
  pushManifest,
  refused,
  tagsOf,
} from './actions.ts'
import { hashedContent, newName, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const tag = (text: string): Tag => text as Tag

/** Storing manifests and finding them. */
export function manifestTests(open: OpenMetadataStore): void {
  describe('findManifest', () => {
    const store = sharedStore(open)

    test('tells a missing repository from a missing manifest', async () => {
      const name = newName()
      const byTag = { kind: 'tag', tag: tag('latest') } as const
      expect(await store().findManifest(name, byTag, { bytes: true })).toBeNull()
      const { repository } = await openSession(store(), name)
      for (const reference of [byTag, { kind: 'digest', digest: unknownDigest() } as const]) {
        const found = await store().findManifest(name, reference, { bytes: true })
        expect(found).toStrictEqual({ repository, manifest: null })
      }
    })

    test('gives exactly what was pushed, by tag and by digest', async () => {
      const name = newName()
      const pushed = await pushManifest(store(), name, { tags: [tag('v1')] })
      for (const reference of ['v1', pushed.digest]) {
        expect(await manifestAt(store(), name, reference)).toStrictEqual({
          digest: pushed.digest,
          mediaType: pushed.mediaType,
          size: pushed.bytes.length,
          cid: pushed.cid,
          bytes: pushed.bytes,
          layoutRoot: null,
        })
      }
    })

    test('leaves the bytes out when they are not asked for', async () => {
      const name = newName()
      const pushed = await pushManifest(store(), name, { tags: [tag('v1')] })
      for (const reference of [
        { kind: 'tag', tag: tag('v1') } as const,
        { kind: 'digest', digest: pushed.digest } as const,
      ]) {
        const found = await store().findManifest(name, reference, { bytes: false })
        expect(found?.manifest).toMatchObject({
          digest: pushed.digest,
          size: pushed.bytes.length,
          bytes: null,
        })
      }
    })

    test('shows a manifest only in its repository', async () => {
      const [name, other] = [newName(), newName()]
      const pushed = await pushManifest(store(), name)
      await openSession(store(), other)
      expect(await manifestAt(store(), other, pushed.digest)).toBeNull()
    })
  })

  putTests(open)
  referenceTests(open)
  againTests(open)
}

function putTests(open: OpenMetadataStore): void {
  describe('putManifest', () => {
    const store = sharedStore(open)

    test('creates the repository', async () => {
      const name = newName()
      await pushManifest(store(), name, { defaultVisibility: 'public' })
      expect(await store().findRepository(name)).toMatchObject({ visibility: 'public' })
    })

    test('sets several tags', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name, { tags: [tag('b'), tag('a'), tag('c')] })
      expect(await tagsOf(store(), name)).toStrictEqual(['a', 'b', 'c'])
      expect((await manifestAt(store(), name, 'b'))?.digest).toBe(digest)
    })

    test('keeps manifests of several MiB, and views of larger buffers', async () => {
      const name = newName()
      const large = hashedContent(new Uint8Array(3 * 1024 * 1024 + 17).fill(0x20))
      const buffer = new Uint8Array(large.size + 100)
      buffer.set(large.bytes, 50)
      const view = buffer.subarray(50, 50 + large.size)
      const { digest } = await pushManifest(store(), name, { ...identityOf(large), bytes: view })
      const found = await manifestAt(store(), name, digest)
      expect(found).toMatchObject({ digest, size: large.size, cid: large.cid })
      expect(Buffer.compare(found!.bytes!, large.bytes)).toBe(0)
    })

    test('and a blob of the same bytes do not disturb each other', async () => {
      const name = newName()
      const content = hashedContent()
      const manifest = await pushManifest(store(), name, { bytes: content.bytes })
      expect(await blobAt(store(), name, content.sha256)).toBeNull()
      await pushBlob(store(), name, content)
      expect(await blobAt(store(), name, content.sha256)).toMatchObject({ size: content.size })
      expect((await manifestAt(store(), name, manifest.digest))?.bytes).toStrictEqual(content.bytes)
    })

    test('keeps a manifest under the digest that was given', async () => {
      const name = newName()
      const content = hashedContent()
      const sha512 = { digest: content.sha512, sha512: content.sha512, bytes: content.bytes }
      await pushManifest(store(), name, { ...sha512, tags: [tag('v1')] })
      expect(await manifestAt(store(), name, content.sha512)).toMatchObject({ digest: content.sha512 })
      expect(await manifestAt(store(), name, content.sha256)).toBeNull()
      await pushManifest(store(), name, { bytes: content.bytes })
      expect((await manifestAt(store(), name, content.sha256))?.bytes).toStrictEqual(content.bytes)
      expect(await manifestAt(store(), name, 'v1')).toMatchObject({ digest: content.sha512 })
      await store().deleteManifest(name, content.sha256, 'user:ada')
      expect(await manifestAt(store(), name, 'v1')).toMatchObject({ digest: content.sha512 })
    })
  })
}

function identityOf(content: ReturnType<typeof hashedContent>) {
  return { digest: content.sha256, sha256: content.sha256, cid: content.cid }
}

function referenceTests(open: OpenMetadataStore): void {
  describe('putManifest with references', () => {
    const store = sharedStore(open)

    test('refuses when blobs are missing, naming them, and stores nothing', async () => {
      const name = newName()
      const there = await pushBlob(store(), name)
      const missing = [unknownDigest(), unknownDigest()] as const
      const manifest = manifestOf(name, {
        blobs: [missing[0], there.sha256, missing[1]],
        tags: [tag('v1')],
      })
      const error = await refused(store().putManifest(manifest), 'MANIFEST_BLOB_UNKNOWN')
      expect((error.detail as { missing: Digest[] }).missing.toSorted()).toStrictEqual(missing.toSorted())
      expect(await manifestAt(store(), name, manifest.digest)).toBeNull()
      expect(await manifestAt(store(), name, 'v1')).toBeNull()
      expect(await tagsOf(store(), name)).toBeNull()
      expect((await blobAt(store(), name, there.sha256))?.leaseUntil).not.toBeNull()
    })

    test('refuses blobs of other repositories, and creates no repository for it', async () => {
      const [name, other] = [newName(), newName()]
      const blob = await pushBlob(store(), other)
      await refused(store().putManifest(manifestOf(name, { blobs: [blob.sha256] })), 'MANIFEST_BLOB_UNKNOWN')
      expect(await store().findRepository(name)).toBeNull()
    })

    test('refuses hidden blobs', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await store().deleteBlob(name, blob.sha256)
      await refused(store().putManifest(manifestOf(name, { blobs: [blob.sha256] })), 'MANIFEST_BLOB_UNKNOWN')
    })

    test('takes the leases of the blobs that it needs', async () => {
      const name = newName()
      const [needed, other] = [await pushBlob(store(), name), await pushBlob(store(), name)]
      await pushManifest(store(), name, { blobs: [needed.sha256] })
      expect(await blobAt(store(), name, needed.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
      expect((await blobAt(store(), name, other.sha256))?.leaseUntil).not.toBeNull()
    })

    test('allows children and foreign layers that are not there, and reports the children', async () => {
      const name = newName()
      const child = await pushManifest(store(), name)
      const [missing, foreign] = [unknownDigest(), unknownDigest()]
      const result = await store().putManifest(
        manifestOf(name, {
          mediaType: mediaTypes.ociIndex,
          references: [
            { digest: child.digest, kind: 'manifest' },
            { digest: missing, kind: 'manifest' },
            { digest: foreign, kind: 'foreign' },
          ],
        }),
      )
      expect(result).toStrictEqual({ missing: [missing] })
    })

    test('reports a deleted child as missing', async () => {
      const name = newName()
      const child = await pushManifest(store(), name)
      await store().deleteManifest(name, child.digest, 'user:ada')
      const references = [{ digest: child.digest, kind: 'manifest' } as const]
      const result = await store().putManifest(manifestOf(name, { references }))
      expect(result).toStrictEqual({ missing: [child.digest] })
    })

    test('takes the lease of a foreign layer that was pushed all the same', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await pushManifest(store(), name, { references: [{ digest: blob.sha256, kind: 'foreign' }] })
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({ leaseUntil: null })
    })
  })
}

function againTests(open: OpenMetadataStore): void {
  describe('putManifest of a manifest that is there', () => {
    const store = sharedStore(open)

    test('changes nothing', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const pushed = await pushManifest(store(), name, { blobs: [blob.sha256], tags: [tag('v1')] })
      const before = await store().listTags(name, { after: null, limit: 10 })
      expect(await store().putManifest(pushed)).toStrictEqual({ missing: [] })
      expect(await store().listTags(name, { after: null, limit: 10 })).toStrictEqual(before)
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({ leaseUntil: null })
    })

    test('still asks for its blobs', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const pushed = await pushManifest(store(), name, { blobs: [blob.sha256] })
      await store().deleteBlob(name, blob.sha256)
      await refused(store().putManifest(pushed), 'MANIFEST_BLOB_UNKNOWN')
      expect(await manifestAt(store(), name, pushed.digest)).not.toBeNull()
    })

    test('takes the newest media type, with what the manifest needs under it', async () => {
      const name = newName()
      const [first, second] = [await pushBlob(store(), name), await pushBlob(store(), name)]
      const { bytes, digest } = await pushManifest(store(), name, { blobs: [first.sha256] })
      await pushManifest(store(), name, {
        bytes,
        blobs: [second.sha256],
        mediaType: mediaTypes.dockerManifest,
      })
      expect(await manifestAt(store(), name, digest)).toMatchObject({ mediaType: mediaTypes.dockerManifest })
      expect((await blobAt(store(), name, first.sha256))?.unreferencedSince).not.toBeNull()
      expect(await blobAt(store(), name, second.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
    })

    test('revives a deleted one with its references, without its old tags', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const pushed = await pushManifest(store(), name, { blobs: [blob.sha256], tags: [tag('v1')] })
      await store().deleteManifest(name, pushed.digest, 'user:ada')
      await store().putManifest({ ...pushed, tags: [tag('v2')] })
      expect((await manifestAt(store(), name, pushed.digest))?.bytes).toStrictEqual(pushed.bytes)
      expect(await tagsOf(store(), name)).toStrictEqual(['v2'])
      expect(await blobAt(store(), name, blob.sha256)).toMatchObject({
        leaseUntil: null,
        unreferencedSince: null,
      })
      await store().deleteManifest(name, pushed.digest, 'user:ada')
      expect((await blobAt(store(), name, blob.sha256))?.unreferencedSince).not.toBeNull()
    })

    test('does not revive one whose blobs are gone', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const pushed = await pushManifest(store(), name, { blobs: [blob.sha256] })
      await store().deleteManifest(name, pushed.digest, 'user:ada')
      await store().deleteBlob(name, blob.sha256)
      const error = await refused(store().putManifest(pushed), 'MANIFEST_BLOB_UNKNOWN')
      expect(error.detail).toMatchObject({ missing: [blob.sha256] })
      expect(await manifestAt(store(), name, pushed.digest)).toBeNull()
    })
  })
}
