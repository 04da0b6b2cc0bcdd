import { RegistryError } from '@openregistry/oci'
import type { BackendIdentity, BackendTies, KeepsIdentity } from '../ports/backend-identity.ts'
import type { BlobStore, Lists, ListsUploads, ObjectReader } from '../ports/blob-store.ts'
import type { ScrubStore } from '../ports/scrub.ts'
import { newStorageKey, newUploadId, uploadOf, type StorageKey, type UploadId } from '../ports/storage-key.ts'

/** What lies on a disk. */
export class Disk {
  identity: BackendIdentity | null = null
  readonly objects = new Map<StorageKey, Uint8Array>()

  /** Puts objects there. @returns their keys. */
  fill(count: number): StorageKey[] {
    const keys = Array.from({ length: count }, () => newStorageKey(newUploadId()))
    for (const key of keys) this.objects.set(key, Uint8Array.of(1))
    return keys
  }
}

/** For tests: a backend whose disk can be taken away, and another one put in its place. */
export class MountableBackend implements BlobStore, Lists, ListsUploads, KeepsIdentity {
  readonly backend = 'disk'
  readonly public = false
  readonly place = 'the folder /blobs'
  readonly mountable = true
  disk: Disk
  /** Called when it is asked for its identity. */
  beforeIdentity: () => Promise<void> = () => Promise.resolve()
  questions = 0

  constructor(disk = new Disk()) {
    this.disk = disk
  }

  async write(key: StorageKey, source: AsyncIterable<Uint8Array>): Promise<{ size: number }> {
    const chunks: number[] = []
    for await (const chunk of source) chunks.push(...chunk)
    this.disk.objects.set(key, Uint8Array.from(chunks))
    return { size: chunks.length }
  }

  async open(key: StorageKey): Promise<ObjectReader | null> {
    const bytes = this.disk.objects.get(key)
    if (bytes === undefined) return null
    const chunks = (async function* () {
      yield bytes
    })()
    return { size: bytes.length, chunks, [Symbol.asyncDispose]: () => Promise.resolve() }
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const bytes = this.disk.objects.get(key)
    return bytes === undefined ? null : { size: bytes.length }
  }

  async delete(key: StorageKey): Promise<void> {
    this.disk.objects.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    for (const key of this.disk.objects.keys()) if (key.startsWith(prefix)) yield key
  }

  async *listUploads(uploads: ReadonlySet<UploadId>): AsyncGenerator<StorageKey, void, undefined> {
    for (const key of this.disk.objects.keys()) if (uploads.has(uploadOf(key))) yield key
  }

  async check(): Promise<void> {
    // A bare mount point takes a write as well as any other folder.
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    this.questions++
    const { identity } = this.disk
    await this.beforeIdentity()
    return identity
  }

  async claim(identity: BackendIdentity): Promise<BackendIdentity> {
    return (this.disk.identity ??= identity)
  }

  async reclaim(identity: BackendIdentity): Promise<void> {
    this.disk.identity = identity
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open here.
  }
}

/** For tests: what a database knows of one backend. */
export class KnownBackend implements BackendTies, Pick<ScrubStore, 'listKeys'> {
  identity: BackendIdentity | null = null
  keys: StorageKey[] = []
  /** Rows of objects that are damaged or missing. */
  damaged = 0
  away = false

  async findBackendIdentity(): Promise<BackendIdentity | null> {
    if (this.away) throw new RegistryError('METADATA_UNAVAILABLE')
    return this.identity
  }

  async namesObjects(): Promise<boolean> {
    return this.keys.length + this.damaged > 0
  }

  async tieBackend({ identity }: { identity: BackendIdentity }): Promise<BackendIdentity> {
    return (this.identity ??= identity)
  }

  async retieBackend({ identity }: { identity: BackendIdentity }): Promise<void> {
    this.identity = identity
  }

  async listKeys(
    _backend: string,
    prefix: string,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<{ items: StorageKey[]; more: boolean }> {
    const following = this.keys
      .filter((key) => key.startsWith(prefix) && (after === null || key > after))
      .toSorted()
    return { items: following.slice(0, limit), more: following.length > limit }
  }
}
