import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { RegistryError } from '@openregistry/oci'
import type {
  BackendIdentity,
  BlobStore,
  ByteRange,
  KeepsIdentity,
  Lists,
  ObjectReader,
  StorageKey,
  Trusted,
} from '@openregistry/core'
import { ReadBuffers } from '../reading/read-buffers.ts'
import { SpanReader, type SpanSource } from '../reading/span-reader.ts'
import { within } from '../within.ts'
import { errnoOf, folderFault, guarded, storageFault } from './fault.ts'
import { createNodeFiles, type FileLayer, type LayerFile } from './file-layer.ts'
import { FolderSync } from './folder-sync.ts'
import { IdentityFile } from './identity-file.ts'
import { keyOfFile, objectPath, shardOf, shards } from './object-path.ts'
import { prepareFolders, probePrefix } from './prepare-folders.ts'
import { SyncSlots } from './sync-slots.ts'
import { writeObject } from './write-object.ts'

const mebi = 1024 * 1024

/** Settings of {@link openDiskBlobStore}. */
export interface DiskBlobStoreOptions {
  /** The folder. Used by nothing else but other replicas. */
  path: string
  /**
   * Whether the folder is created, with its parents and what belongs into it, as it is opened; true unless said otherwise.
   * If false that is left to `claim`, and a folder that is missing shows when something is asked of it.
   */
  create?: boolean
  /** See `BlobStore.public`; false unless said otherwise. */
  public?: boolean
  /** The name in `blob_locations.backend`; `disk` unless said otherwise. */
  backend?: string
  /** Bytes of the largest read, a power of two; 1 MiB unless said otherwise. */
  largestRead?: number
  /** Bytes of read buffers in use up to which they may be large; 64 MiB unless said otherwise. */
  readMemory?: number
  /**
   * Syncs at once, which leaves the other threads of Node's pool (`UV_THREADPOOL_SIZE`, 4 by default) to readers; 2
   * unless said otherwise.
   */
  syncs?: number
  /** Bytes of one object after which write-back begins while more arrive; 64 MiB unless said otherwise. */
  writeBackEvery?: number
  /** Whether large objects may be written around the page cache; true unless said otherwise. */
  direct?: boolean
  /** The file operations; those of the operating system unless a test replaces them. */
  files?: FileLayer
}

/**
 * Opens a folder as a blob store: one new file per object, durable with its name before a write resolves.
 * @throws RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE` when the folders cannot be made; its message says why.
 */
export async function openDiskBlobStore(
  options: DiskBlobStoreOptions,
): Promise<BlobStore & Lists & KeepsIdentity & Trusted> {
  const path = resolve(options.path)
  const files = options.files ?? createNodeFiles(options)
  const store = new DiskBlobStore({ ...options, path, files })
  if (options.create !== false) await store.prepare()
  return store
}

class DiskBlobStore implements BlobStore, Lists, KeepsIdentity, Trusted {
  readonly backend: string
  readonly public: boolean
  readonly trusted = true
  readonly place: string
  readonly mountable = true
  readonly #path: string
  readonly #identity: IdentityFile
  readonly #files: FileLayer
  readonly #buffers: ReadBuffers
  readonly #largestRead: number
  readonly #slots: SyncSlots
  readonly #writeBackEvery: number
  readonly #folders: ReadonlyMap<string, FolderSync>

  constructor(options: DiskBlobStoreOptions & { files: FileLayer }) {
    this.backend = options.backend ?? 'disk'
    this.public = options.public ?? false
    this.place = `the folder ${options.path} (dfs.disk.path)`
    this.#path = options.path
    this.#identity = new IdentityFile(options.files, options.path)
    this.#files = options.files
    this.#largestRead = options.largestRead ?? mebi
    this.#buffers = new ReadBuffers(options.readMemory ?? 64 * mebi)
    this.#slots = new SyncSlots(options.syncs ?? 2)
    this.#writeBackEvery = options.writeBackEvery ?? 64 * mebi
    this.#folders = new Map(
      shards.map((shard) => [shard, new FolderSync(options.files, join(options.path, shard), this.#slots)]),
    )
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ size: number }> {
    const folder = this.#folders.get(shardOf(key))
    if (folder === undefined) throw new RegistryError('INTERNAL', 'Not a storage key.', { cause: key })
    const path = objectPath(this.#path, key)
    const target = {
      files: this.#files,
      path,
      folder,
      slots: this.#slots,
      writeBackEvery: this.#writeBackEvery,
    }
    return { size: await writeObject(target, source, signal) }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const file = await this.#unlessMissing(this.#files.open(objectPath(this.#path, key)))
    if (file === null) return null
    try {
      const size = await guarded(file.size())
      const span = { source: sourceOf(file), size, ...within(size, range) }
      return new SpanReader(span, this.#buffers, this.#largestRead)
    } catch (error) {
      await closeQuietly(file)
      throw error
    }
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const size = await this.#unlessMissing(this.#files.size(objectPath(this.#path, key)))
    return size === null ? null : { size }
  }

  /**
   * The folder is not synced: a power cut may bring the file back, but nothing names it then, and scrub finds it. What
   * matters, that no row names bytes that are gone, was settled before this call.
   */
  async delete(key: StorageKey): Promise<void> {
    await this.#unlessMissing(this.#files.unlink(objectPath(this.#path, key)))
  }

  async *list(prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    for (const shard of shards) {
      if (!shard.startsWith(prefix.slice(0, 2))) continue
      yield* this.#listShard(shard, prefix)
    }
  }

  async *#listShard(shard: string, prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    try {
      for await (const name of this.#files.names(join(this.#path, shard))) {
        const key = keyOfFile(shard, name)
        if (key?.startsWith(prefix) === true) yield key
      }
    } catch (error) {
      // A folder that is not there holds nothing. Whether this is the right place is another question.
      if (errnoOf(error) !== 'ENOENT') throw storageFault(error)
    }
  }

  async check(): Promise<void> {
    // Not the form of an object, so that one that a crash leaves behind is never listed.
    const path = join(this.#path, `${probePrefix}${randomUUID()}`)
    const file = await guarded(this.#files.create(path))
    try {
      await guarded(file.write(Uint8Array.of(1), 0))
      await guarded(file.datasync())
      await guarded(this.#files.syncFolder(this.#path))
    } finally {
      await closeQuietly(file)
      await this.#files.unlink(path).catch(() => undefined)
    }
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    return this.#inFolder(this.#identity.read())
  }

  async claim(identity: BackendIdentity): Promise<BackendIdentity> {
    await this.prepare()
    return this.#inFolder(this.#identity.write(identity))
  }

  async reclaim(identity: BackendIdentity): Promise<void> {
    await this.prepare()
    await this.#inFolder(this.#identity.replace(identity))
  }

  /** Makes everything that objects need, as far as it is missing. */
  async prepare(): Promise<void> {
    await this.#inFolder(prepareFolders(this.#files, this.#path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open here: every reader and every write belongs to its caller.
  }

  /** For whoever operates the registry; such faults name the folder. */
  async #inFolder<T>(operation: Promise<T>): Promise<T> {
    return operation.catch((error: unknown) => {
      throw folderFault(this.#path, error)
    })
  }

  async #unlessMissing<T>(operation: Promise<T>): Promise<T | null> {
    try {
      return await operation
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null
      throw storageFault(error)
    }
  }
}

function sourceOf(file: LayerFile): SpanSource {
  return {
    read: (target, length, position) => guarded(file.read(target, length, position)),
    close: () => guarded(file.close()),
  }
}

async function closeQuietly(file: LayerFile): Promise<void> {
  // Only where a better error is on its way, or nothing was written that matters.
  await file.close().catch(() => undefined)
}
