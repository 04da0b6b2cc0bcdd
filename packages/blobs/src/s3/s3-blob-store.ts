import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { RegistryError } from '@openregistry/oci'
import {
  asStorageKey,
  identityName,
  parseBackendIdentity,
  parseStorageKey,
  type BackendIdentity,
  type BlobStore,
  type ByteRange,
  type KeepsIdentity,
  type Lists,
  type ObjectReader,
  type RedirectsReads,
  type ReportsCids,
  type StorageKey,
} from '@openregistry/core'
import { within } from '../within.ts'
import { Bucket, type BucketOptions } from './bucket.ts'
import { BucketReader } from './object-reader.ts'
import { PartBuffers } from './part-buffers.ts'
import { publish, markedWith } from './publish.ts'
import { writeObject } from './write-object.ts'

const mebi = 1024 * 1024

/** Settings of {@link openS3BlobStore}. */
export interface S3BlobStoreOptions extends BucketOptions {
  /** See `BlobStore.public`. */
  public: boolean
  /** What the names of our objects begin with; empty, or ends with a slash. */
  prefix: string
  /** Bytes of a part of an upload, at least 5 MiB; see `partSizeOf`. */
  partSize: number
  /** Whether clients are sent to the service itself for what they read. */
  redirect: boolean
  /** Whether the service puts objects on IPFS, and their CIDs into their metadata as `cid`. */
  reportsCids?: boolean
  /** Bytes of parts of all uploads up to which an upload may hold more than one; 64 MiB unless said otherwise. */
  writeMemory?: number
}

/** How long a client may use the address that it was sent to, in seconds. A read that has begun goes on. */
const redirectLifetime = 300

/** How long a successful check stands for those that come after it, in milliseconds: each costs two requests. */
const checkLifetime = 10_000

/**
 * Opens a bucket of a service that speaks S3 as a blob store. Nothing is sent: a service that is away now may be there
 * when it is needed.
 */
export async function openS3BlobStore(
  options: S3BlobStoreOptions,
): Promise<BlobStore & Lists & KeepsIdentity> {
  const bucket = await Bucket.open(options)
  const store = new S3BlobStore(bucket, options)
  const abilities: Partial<RedirectsReads & ReportsCids> = {}
  if (options.redirect) {
    abilities.redirect = (key) => bucket.presign(store.nameOf(key), redirectLifetime)
  }
  if (options.reportsCids === true) {
    abilities.reportedCid = async (key) => (await bucket.head(store.nameOf(key)))?.metadata['cid'] ?? null
  }
  return Object.assign(store, abilities)
}

class S3BlobStore implements BlobStore, Lists, KeepsIdentity {
  readonly backend: string
  readonly public: boolean
  readonly place: string
  /** A bucket keeps its name as long as it is there. */
  readonly mountable = false
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #partSize: number
  readonly #buffers: PartBuffers
  #checkedAt = -Infinity

  constructor(bucket: Bucket, options: S3BlobStoreOptions) {
    this.#bucket = bucket
    this.backend = options.backend
    this.public = options.public
    this.place = `the bucket "${options.bucket}" at ${options.endpoint} (dfs.${options.backend}.bucket)`
    this.#prefix = options.prefix
    this.#partSize = options.partSize
    this.#buffers = new PartBuffers(options.writeMemory ?? 64 * mebi)
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ size: number }> {
    const target = {
      bucket: this.#bucket,
      name: this.nameOf(key),
      partSize: this.#partSize,
      buffers: this.#buffers,
    }
    return { size: await writeObject(target, source, signal) }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const name = this.nameOf(key)
    if (range !== undefined && !isReadable(range)) return this.#openNothing(key, range)
    const found = await this.#bucket.get(name, range ?? null)
    if (found === null) return null
    if (found === 'outside') throw new RegistryError('RANGE_INVALID', undefined, { cause: name })
    const { size, etag, body } = found
    try {
      const reopen = (rest: ByteRange) => this.#reopen(name, rest, etag)
      return new BucketReader({ size, range: within(size, range), body, reopen })
    } catch (error) {
      body.destroy()
      throw error
    }
  }

  /** An empty range, which HTTP cannot ask for, or one that is none. */
  async #openNothing(key: StorageKey, range: ByteRange): Promise<ObjectReader | null> {
    const found = await this.stat(key)
    if (found === null) return null
    within(found.size, range)
    return { size: found.size, chunks: nothing(), [Symbol.asyncDispose]: () => Promise.resolve() }
  }

  async #reopen(name: string, range: ByteRange, etag: string | undefined) {
    const found = await this.#bucket.get(name, range, etag)
    if (found !== null && found !== 'outside') return found.body
    throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
      cause: `${name} went away while it was read`,
    })
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const found = await this.#bucket.head(this.nameOf(key))
    return found && { size: found.size }
  }

  /** What a write that was killed has left under the key is no object, and goes, too: first, so that it becomes none. */
  async delete(key: StorageKey): Promise<void> {
    const name = this.nameOf(key)
    for await (const upload of this.#bucket.openUploads(name)) await this.#bucket.abortUpload(upload)
    await this.#bucket.remove(name)
  }

  /** Uploads that were begun and not ended are listed as well: whoever deletes what nobody needs deletes those. */
  async *list(prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    const begin = `${this.#prefix}${prefix}`
    for await (const name of this.#bucket.objects(begin)) {
      const key = this.#keyOf(name)
      if (key !== null) yield key
    }
    let last: StorageKey | null = null
    for await (const { name } of this.#bucket.openUploads(begin)) {
      const key = this.#keyOf(name)
      if (key === null || key === last) continue
      last = key
      yield key
    }
  }

  async check(): Promise<void> {
    if (performance.now() - this.#checkedAt < checkLifetime) return
    // Not the form of an object, so that one that a crash leaves behind is never listed.
    const name = `${this.#prefix}probe-${randomUUID()}`
    const [body, mark] = [Uint8Array.of(1), randomUUID()]
    await publish(this.#bucket, { name, size: 1, mark }, () => this.#bucket.put(name, body, markedWith(mark)))
    await this.#bucket.remove(name)
    this.#checkedAt = performance.now()
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    const found = await this.#bucket.get(this.#identityName, null)
    if (found === null || found === 'outside') return null
    const { size, body } = found
    if (size <= mostIdentity) return parseBackendIdentity(await text(body))
    body.destroy()
    return null
  }

  async claim(identity: BackendIdentity): Promise<BackendIdentity> {
    // Looked for first, so that a key that may only read is enough for a bucket of former times.
    const before = await this.readIdentity()
    if (before !== null) return before
    const answer = await this.#bucket.put(this.#identityName, identityText(identity), {})
    const held = answer === 'stored' ? identity : await this.readIdentity()
    if (held !== null) return held
    // What is there is no identity.
    await this.reclaim(identity)
    return identity
  }

  async reclaim(identity: BackendIdentity): Promise<void> {
    await this.#bucket.replace(this.#identityName, identityText(identity))
  }

  get #identityName(): string {
    return `${this.#prefix}${identityName}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket[Symbol.dispose]()
  }

  /** The name of a key's object in the bucket. */
  nameOf(key: StorageKey): string {
    return `${this.#prefix}${parseStorageKey(key)}`
  }

  /** The key of an object, or null for what is none of ours. */
  #keyOf(name: string): StorageKey | null {
    return asStorageKey(name.slice(this.#prefix.length))
  }
}

/** Bytes of an object that could be an identity. */
const mostIdentity = 1000

function identityText(identity: BackendIdentity): Uint8Array {
  return Buffer.from(`${identity}\n`)
}

function isReadable({ offset, length }: ByteRange): boolean {
  return Number.isSafeInteger(offset) && Number.isSafeInteger(offset + length) && offset >= 0 && length > 0
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // Not a byte.
}
