import { RegistryError } from '@openregistry/oci'
import type {
  BackendIdentity,
  BlobStore,
  ByteRange,
  KeepsIdentity,
  Lists,
  ObjectReader,
  StorageKey,
} from '@openregistry/core'
import { abortable } from '../abortable.ts'
import { within } from '../within.ts'

const chunkSize = 64 * 1024

/** Settings of {@link createMemoryBlobStore}. */
export interface MemoryBlobStoreOptions {
  /** See `BlobStore.public`; false unless said otherwise. */
  public?: boolean
  /** The name in `blob_locations.backend`; `memory` unless said otherwise. */
  backend?: string
}

/**
 * A blob store for tests: nothing is durable, and memory grows with the content. Readers overwrite each chunk as soon
 * as the next one is asked for, so that a consumer that keeps one shows in its own tests.
 */
export function createMemoryBlobStore(
  options: MemoryBlobStoreOptions = {},
): BlobStore & Lists & KeepsIdentity {
  return new MemoryBlobStore(options)
}

class MemoryBlobStore implements BlobStore, Lists, KeepsIdentity {
  readonly backend: string
  readonly public: boolean
  readonly place = 'the memory of this process'
  readonly mountable = false
  #identity: BackendIdentity | null = null
  readonly #objects = new Map<StorageKey, Uint8Array>()
  readonly #used = new Set<StorageKey>()

  constructor(options: MemoryBlobStoreOptions) {
    this.backend = options.backend ?? 'memory'
    this.public = options.public ?? false
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ size: number }> {
    signal?.throwIfAborted()
    if (this.#used.has(key)) throw new RegistryError('INTERNAL', 'A storage key was used twice.')
    this.#used.add(key)
    const chunks: Uint8Array[] = []
    for await (const chunk of abortable(source, signal)) chunks.push(new Uint8Array(chunk))
    signal?.throwIfAborted()
    // Not a Buffer: its `slice` does not copy.
    const bytes = new Uint8Array(Buffer.concat(chunks))
    this.#objects.set(key, bytes)
    return { size: bytes.length }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const bytes = this.#objects.get(key)
    if (bytes === undefined) return null
    const { offset, length } = within(bytes.length, range)
    return new MemoryReader(bytes.subarray(offset, offset + length), bytes.length)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const bytes = this.#objects.get(key)
    return bytes === undefined ? null : { size: bytes.length }
  }

  async delete(key: StorageKey): Promise<void> {
    this.#objects.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    for (const key of this.#objects.keys()) if (key.startsWith(prefix)) yield key
  }

  async check(): Promise<void> {
    // Memory is always there.
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    return this.#identity
  }

  async claim(identity: BackendIdentity): Promise<BackendIdentity> {
    return (this.#identity ??= identity)
  }

  async reclaim(identity: BackendIdentity): Promise<void> {
    this.#identity = identity
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#objects.clear()
  }
}

class MemoryReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  #closed = false

  constructor(bytes: Uint8Array, size: number) {
    this.size = size
    this.chunks = this.#iterate(bytes)
  }

  async *#iterate(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length; at += chunkSize) {
      if (this.#closed) throw new RegistryError('INTERNAL', 'An object was read after it was closed.')
      const chunk = bytes.slice(at, at + chunkSize)
      yield chunk
      chunk.fill(0xdd)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
  }
}
