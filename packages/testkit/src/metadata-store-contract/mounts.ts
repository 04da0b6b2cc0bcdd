import { describe, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { blobAt, diskAlone, hour, openSession, pushBlob, pushManifest } from './actions.ts'
import { hashedContent, newName, randomWord, unknownDigest } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Where a blob can be mounted from, and mounting it. */
export function mountTests(open: OpenMetadataStore): void {
  describe('findMountSource', () => {
    const store = sharedStore(open)

    test('finds a private repository of the namespace only', async () => {
      const namespace = randomWord()
      const name = newName(namespace)
      const { sha256 } = await pushBlob(store(), name)
      expect(await store().findMountSource(namespace, sha256)).toStrictEqual(
        await store().findRepository(name),
      )
      expect(await store().findMountSource(randomWord(), sha256)).toBeNull()
      expect(await store().findMountSource(namespace, unknownDigest())).toBeNull()
      expect(await store().findMountSource(namespace.slice(0, -1), sha256)).toBeNull()
    })

    test('finds a public repository of any namespace', async () => {
      const name = newName()
      const { sha256 } = await pushBlob(store(), name)
      await store().setVisibility(name, 'public', diskAlone)
      const found = await store().findMountSource(randomWord(), sha256)
      expect(found).toStrictEqual({ ...(await store().findRepository(name)), visibility: 'public' })
      await store().setVisibility(name, 'private', diskAlone)
      expect(await store().findMountSource(randomWord(), sha256)).toBeNull()
    })

    test('finds what is linked in a repository that was public from the start', async () => {
      const name = newName()
      await openSession(store(), name, { defaultVisibility: 'public' })
      const { sha256 } = await pushBlob(store(), name)
      expect(await store().findMountSource(randomWord(), sha256)).toMatchObject({ name })
    })

    test('goes by the digest that was asked for', async () => {
      const namespace = randomWord()
      const content = hashedContent()
      await pushBlob(store(), newName(namespace), content, { digest: content.sha512, sha512: content.sha512 })
      expect(await store().findMountSource(namespace, content.sha512)).not.toBeNull()
      expect(await store().findMountSource(namespace, content.sha256)).toBeNull()
    })

    test('passes over hidden links and deleted repositories', async () => {
      const namespace = randomWord()
      const [hidden, deleted, good] = [newName(namespace), newName(namespace), newName(namespace)]
      const { sha256, bytes } = await pushBlob(store(), hidden)
      await pushBlob(store(), deleted, hashedContent(bytes))
      await store().deleteBlob(hidden, sha256)
      expect(await store().findMountSource(namespace, sha256)).toMatchObject({ name: deleted })
      await store().deleteRepository(deleted, 'user:ada')
      expect(await store().findMountSource(namespace, sha256)).toBeNull()
      await pushBlob(store(), good, hashedContent(bytes))
      expect(await store().findMountSource(namespace, sha256)).toMatchObject({ name: good })
    })
  })

  describe('mountBlob', () => {
    const store = sharedStore(open)

    test('links the blob with a lease, creating the target', async () => {
      const [from, to] = [newName(), newName()]
      const blob = await pushBlob(store(), from)
      expect(await mount(store(), from, to, blob.sha256)).toBe(true)
      const [source, mounted] = [
        await blobAt(store(), from, blob.sha256),
        await blobAt(store(), to, blob.sha256),
      ]
      expect(mounted).toMatchObject({ size: blob.size, cid: blob.cid, location: source!.location })
      expect(mounted!.leaseUntil).toBeGreaterThan(mounted!.now)
      expect(await store().findRepository(to)).toMatchObject({ visibility: 'public' })
    })

    test('outlives its source', async () => {
      const [from, to] = [newName(), newName()]
      const blob = await pushBlob(store(), from)
      await mount(store(), from, to, blob.sha256)
      await store().deleteRepository(from, 'user:ada')
      expect(await blobAt(store(), to, blob.sha256)).not.toBeNull()
    })

    test('leaves a link that a manifest needs without a lease, and brings a hidden one back', async () => {
      const [from, to] = [newName(), newName()]
      const blob = await pushBlob(store(), from)
      await mount(store(), from, to, blob.sha256)
      await pushManifest(store(), to, { blobs: [blob.sha256] })
      expect(await mount(store(), from, to, blob.sha256)).toBe(true)
      expect(await blobAt(store(), to, blob.sha256)).toMatchObject({ leaseUntil: null })
      await store().deleteBlob(to, blob.sha256)
      expect(await mount(store(), from, to, blob.sha256)).toBe(true)
      expect(await blobAt(store(), to, blob.sha256)).toMatchObject({ leaseUntil: null })
    })

    test('is false, and creates nothing, when the source does not have it (any more)', async () => {
      const [from, to] = [newName(), newName()]
      const [kept, hidden] = [await pushBlob(store(), from), await pushBlob(store(), from)]
      await store().deleteBlob(from, hidden.sha256)
      expect(await mount(store(), from, to, hidden.sha256)).toBe(false)
      expect(await mount(store(), from, to, unknownDigest())).toBe(false)
      const { id } = (await store().findRepository(from))!
      await store().deleteRepository(from, 'user:ada')
      await openSession(store(), from)
      expect(await mountFrom(store(), id, to, kept.sha256)).toBe(false)
      expect(await store().findRepository(to)).toBeNull()
    })
  })
}

async function mount(store: MetadataStore, from: RepositoryName, to: RepositoryName, digest: Digest) {
  return mountFrom(store, (await store.findRepository(from))!.id, to, digest)
}

function mountFrom(store: MetadataStore, source: string, target: RepositoryName, digest: Digest) {
  return store.mountBlob({
    source,
    target,
    defaultVisibility: 'public',
    digest,
    lease: hour,
    rules: diskAlone,
  })
}
