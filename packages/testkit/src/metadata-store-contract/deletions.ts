import { describe, expect, test } from 'vitest'
import type { Tag } from '@openregistry/oci'
import {
  blobAt,
  commitOf,
  diskAlone,
  hour,
  manifestAt,
  openSession,
  partAt,
  pendingKeys,
  pushBlob,
  pushManifest,
  refused,
  tagsOf,
} from './actions.ts'
import { hashedContent, newName, randomWord, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

const tags = (...texts: string[]): Tag[] => texts as Tag[]

/** Deleting manifests, blobs and repositories. */
export function deletionTests(open: OpenMetadataStore): void {
  describe('deleteManifest', () => {
    const store = sharedStore(open)

    test('takes the manifest and all its tags, and no others', async () => {
      const name = newName()
      const gone = await pushManifest(store(), name, { tags: tags('a', 'b') })
      await pushManifest(store(), name, { tags: tags('b2') })
      expect(await store().deleteManifest(name, gone.digest, 'user:ada')).toBe(true)
      expect(await manifestAt(store(), name, gone.digest)).toBeNull()
      expect(await manifestAt(store(), name, 'a')).toBeNull()
      expect(await tagsOf(store(), name)).toStrictEqual(['b2'])
    })

    test('is false when it is not there', async () => {
      const name = newName()
      const { digest } = await pushManifest(store(), name)
      expect(await store().deleteManifest(name, unknownDigest(), 'user:ada')).toBe(false)
      expect(await store().deleteManifest(newName(), digest, 'user:ada')).toBe(false)
      expect(await store().deleteManifest(name, digest, 'user:ada')).toBe(true)
      expect(await store().deleteManifest(name, digest, 'user:ada')).toBe(false)
    })

    test('starts the time of blobs that nothing else needs', async () => {
      const name = newName()
      const [shared, own] = [await pushBlob(store(), name), await pushBlob(store(), name)]
      const gone = await pushManifest(store(), name, { blobs: [shared.sha256, own.sha256] })
      const kept = await pushManifest(store(), name, { blobs: [shared.sha256] })
      await store().deleteManifest(name, gone.digest, 'user:ada')
      const unreferenced = (await blobAt(store(), name, own.sha256))!
      expect(unreferenced.unreferencedSince).toBeLessThanOrEqual(unreferenced.now)
      expect(unreferenced.unreferencedSince).toBeGreaterThan(0)
      expect(await blobAt(store(), name, shared.sha256)).toMatchObject({ unreferencedSince: null })
      await store().deleteManifest(name, kept.digest, 'user:ada')
      expect((await blobAt(store(), name, shared.sha256))?.unreferencedSince).not.toBeNull()
    })

    test('looks at its own repository alone', async () => {
      const [name, other] = [newName(), newName()]
      const blob = await pushBlob(store(), name)
      await pushBlob(store(), other, hashedContent(blob.bytes))
      const { digest } = await pushManifest(store(), name, { blobs: [blob.sha256] })
      await pushManifest(store(), other, { blobs: [blob.sha256] })
      await store().deleteManifest(name, digest, 'user:ada')
      expect((await blobAt(store(), name, blob.sha256))?.unreferencedSince).not.toBeNull()
      expect(await blobAt(store(), other, blob.sha256)).toMatchObject({ unreferencedSince: null })
    })

    test('does not take the children of an index', async () => {
      const name = newName()
      const child = await pushManifest(store(), name)
      const index = await pushManifest(store(), name, {
        references: [{ digest: child.digest, kind: 'manifest' }],
      })
      await store().deleteManifest(name, index.digest, 'user:ada')
      expect(await manifestAt(store(), name, child.digest)).not.toBeNull()
    })
  })

  deleteBlobTests(open)
  deleteRepositoryTests(open)
}

function deleteBlobTests(open: OpenMetadataStore): void {
  describe('deleteBlob', () => {
    const store = sharedStore(open)

    test('hides the blob in its repository alone, whoever needs it', async () => {
      const [name, other] = [newName(), newName()]
      const blob = await pushBlob(store(), name)
      await pushBlob(store(), other, hashedContent(blob.bytes))
      const { digest } = await pushManifest(store(), name, { blobs: [blob.sha256] })
      expect(await store().deleteBlob(name, blob.sha256)).toBe(true)
      expect(await blobAt(store(), name, blob.sha256)).toBeNull()
      expect(await blobAt(store(), other, blob.sha256)).not.toBeNull()
      expect(await manifestAt(store(), name, digest)).not.toBeNull()
    })

    test('is false when it is not there', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      expect(await store().deleteBlob(name, unknownDigest())).toBe(false)
      expect(await store().deleteBlob(newName(), blob.sha256)).toBe(false)
      expect(await store().deleteBlob(name, blob.sha256)).toBe(true)
      expect(await store().deleteBlob(name, blob.sha256)).toBe(false)
    })

    test('gives no bytes away', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      await store().deleteBlob(name, blob.sha256)
      const key = blob.stored.kind === 'object' ? blob.stored.key : ''
      expect(await pendingKeys(store())).not.toContain(key)
    })
  })
}

function deleteRepositoryTests(open: OpenMetadataStore): void {
  describe('deleteRepository', () => {
    const store = sharedStore(open)

    test('makes everything in it unknown at once', async () => {
      const namespace = randomWord()
      const name = newName(namespace)
      const blob = await pushBlob(store(), name)
      const manifest = await pushManifest(store(), name, { blobs: [blob.sha256], tags: tags('v1') })
      const session = await openSession(store(), name)
      expect(await store().deleteRepository(name, 'user:ada')).toBe(true)
      expect(await store().findRepository(name)).toBeNull()
      expect(await store().findBlob(name, blob.sha256)).toBeNull()
      expect(await manifestAt(store(), name, 'v1')).toBeNull()
      expect(await tagsOf(store(), name)).toBeNull()
      expect(await store().findUpload(name, session.id)).toBeNull()
      expect(await store().findMountSource(namespace, blob.sha256)).toBeNull()
      expect(await store().deleteManifest(name, manifest.digest, 'user:ada')).toBe(false)
      expect(await store().setVisibility(name, 'public', diskAlone)).toBeNull()
      expect(await store().deleteRepository(name, 'user:ada')).toBe(false)
    })

    test('frees the name for a new repository with nothing in it', async () => {
      const name = newName()
      const blob = await pushBlob(store(), name)
      const manifest = await pushManifest(store(), name, { blobs: [blob.sha256], tags: tags('v1') })
      const before = (await store().findRepository(name))!
      await store().deleteRepository(name, 'user:ada')
      const { repository } = await openSession(store(), name)
      expect(repository.id).not.toBe(before.id)
      expect(await store().findBlob(name, blob.sha256)).toStrictEqual({ repository, blob: null })
      expect(await manifestAt(store(), name, manifest.digest)).toBeNull()
      expect(await tagsOf(store(), name)).toBeNull()
      await refused(store().putManifest(manifest), 'MANIFEST_BLOB_UNKNOWN')
      await pushBlob(store(), name, hashedContent(blob.bytes))
      await store().putManifest(manifest)
      expect(await tagsOf(store(), name)).toStrictEqual(['v1'])
    })

    test('ends its uploads and gives their objects away', async () => {
      const name = newName()
      const { id } = await openSession(store(), name)
      const part = partAt(id, 0, hashedContent('abc'))
      await store().addPart({ upload: id, part, lifetime: hour })
      await store().deleteRepository(name, 'user:ada')
      await refused(
        store().addPart({ upload: id, part: partAt(id, 3, hashedContent()), lifetime: hour }),
        'BLOB_UPLOAD_UNKNOWN',
      )
      await refused(store().commitBlob(commitOf(id, hashedContent(), { offset: 3 })), 'BLOB_UPLOAD_UNKNOWN')
      while ((await store().emptyRepositories({ limit: 10 })).more);
      expect(await pendingKeys(store())).toContain(part.stored.kind === 'object' ? part.stored.key : '')
    })
  })
}
