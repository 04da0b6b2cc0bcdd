import { RegistryError } from '@openregistry/oci'
import {
  uploadOf,
  type BackendIdentity,
  type BlobStore,
  type ByteRange,
  type KeepsIdentity,
  type LayoutBlocks,
  type Lists,
  type ListsUploads,
  type ObjectReader,
  type PinsLayouts,
  type ReportsCids,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { ReadBuffers } from '../reading/read-buffers.ts'
import { SpanReader } from '../reading/span-reader.ts'
import { within } from '../within.ts'
import { defaultRetry } from './defaults.ts'
import type { Gateway } from './gateway.ts'
import { layoutObject } from './layout-dag.ts'
import { objectOf, type ObjectDag } from './object-dag.ts'
import type { ObjectIndex, ObjectName } from './object-index.ts'
import { checkFault } from './check-fault.ts'
import type { PinService } from './pin-service.ts'
import { PinnedIdentity } from './pinned-identity.ts'
import { PinnedObjects } from './pinned-objects.ts'
import { persistently } from './retrying.ts'
import { Spool } from './spool.ts'
import { spooled, webHashLeaf, type HashLeaf } from './spooled.ts'
import { Turns } from './turns.ts'

const mebi = 1024 * 1024

/** Objects that are sent at a time; others wait in the spool. */
const sentAtOnce = 4

/** Bytes of one read through the gateway. */
const largestRead = 2 * mebi

/** What stores of pinned objects have in common. */
export interface PinnedStoreOptions {
  /** The folder in which content waits until all of it is there. */
  spool: string
  /** See `BlobStore.public`; true unless said otherwise, since IPFS is a public network unless configured otherwise. */
  public?: boolean
  /** The name of the registry among those that use the same service. */
  registry?: string
  /** Milliseconds that the service may stay silent while something is awaited from it. */
  timeout?: number
  /** Milliseconds in which something is tried again that did not reach it. */
  retryWithin?: number
  /** Hashes leaves off the event loop; with Web Cryptography unless said otherwise. */
  hashLeaf?: HashLeaf
}

/** A service that pins, and how to read from it. */
export interface Pinning extends AsyncDisposable {
  /** See `KeepsIdentity.place`. */
  readonly place: string
  readonly pins: PinService
  readonly index: ObjectIndex
  readonly gateway: Gateway
  /** Whether the bytes of an object that the index has are there, without looking at all of them; one attempt. */
  isStored(object: ObjectDag): Promise<boolean>
  /** Whether a reader may be given before that is known. */
  readonly opensUnseen: boolean
  /** See `BlobStore.check`; one attempt. */
  check(): Promise<void>
}

/** A blob store on a service that pins. */
export class PinnedBlobStore
  implements BlobStore, Lists, ListsUploads, KeepsIdentity, ReportsCids, PinsLayouts
{
  readonly backend: string
  readonly public: boolean
  /** Behind the same address may be another node tomorrow, or the same one with an empty repository. */
  readonly mountable = true
  readonly #pinning: Pinning
  readonly #identity: PinnedIdentity
  readonly #retryWithin: number
  readonly #objects: PinnedObjects
  readonly #spool: Spool
  readonly #hashLeaf: HashLeaf
  readonly #sending = new Turns(sentAtOnce)
  readonly #buffers = new ReadBuffers(64 * mebi)
  /** Keys whose objects are being written by this process. */
  readonly #writing = new Set<StorageKey>()

  constructor(backend: string, pinning: Pinning, options: PinnedStoreOptions) {
    this.backend = backend
    this.public = options.public ?? true
    this.#pinning = pinning
    this.#retryWithin = options.retryWithin ?? defaultRetry
    this.#identity = new PinnedIdentity(pinning.pins, pinning.index, this.#retryWithin)
    this.#objects = new PinnedObjects(pinning.pins, pinning.index, this.#retryWithin)
    this.#spool = new Spool(options.spool)
    this.#hashLeaf = options.hashLeaf ?? webHashLeaf
  }

  get place(): string {
    return this.#pinning.place
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    try {
      return await this.#identity.read()
    } catch (error) {
      throw checkFault(this.place, error)
    }
  }

  claim(identity: BackendIdentity): Promise<BackendIdentity> {
    return this.#identity.claim(identity)
  }

  reclaim(identity: BackendIdentity): Promise<void> {
    return this.#identity.replace(identity)
  }

  concede(identity: BackendIdentity): Promise<void> {
    return this.#identity.concede(identity)
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ size: number }> {
    signal?.throwIfAborted()
    if (this.#writing.has(key)) throw usedTwice()
    this.#writing.add(key)
    try {
      if ((await this.#objects.find(key)) !== null) throw usedTwice()
      await using content = await spooled(source, { spool: this.#spool, hashLeaf: this.#hashLeaf, signal })
      signal?.throwIfAborted()
      const object = objectOf(key, content)
      await this.#sending.run(() => this.#objects.store(key, object, signal), signal)
      return { size: content.size }
    } finally {
      this.#writing.delete(key)
    }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const found = await this.#objects.find(key)
    if (found === null) return null
    const { file, size } = found
    const wanted = within(size, range)
    if (!this.#pinning.opensUnseen && !(await this.#isStored(found))) return null
    const span = { source: this.#pinning.gateway.source(file, size), size, ...wanted }
    return new SpanReader(span, this.#buffers, largestRead)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const found = await this.#objects.find(key)
    // The index has it before its bytes are there.
    return found !== null && (await this.#isStored(found)) ? { size: found.size } : null
  }

  /** It is what the registry has computed: the tree was sent as it is. */
  async reportedCid(key: StorageKey): Promise<string | null> {
    return (await this.#objects.find(key))?.file ?? null
  }

  #isStored(object: ObjectDag): Promise<boolean> {
    return persistently(() => this.#pinning.isStored(object), { within: this.#retryWithin })
  }

  delete(key: StorageKey): Promise<void> {
    return this.#objects.remove(key)
  }

  list(prefix: string): AsyncIterable<StorageKey> {
    return this.#objects.keys((key) => key.startsWith(prefix))
  }

  listUploads(uploads: ReadonlySet<UploadId>): AsyncIterable<StorageKey> {
    return this.#objects.keys((key) => uploads.has(uploadOf(key)))
  }

  async pinLayout(layout: LayoutBlocks): Promise<void> {
    const name = layoutName(layout.root)
    const object = layoutObject(this.#pinning.index.cidOf(name), layout)
    await this.#sending.run(() => this.#objects.store(name, object))
  }

  unpinLayout(root: Uint8Array): Promise<void> {
    return this.#objects.remove(layoutName(root))
  }

  async hasLayout(root: Uint8Array): Promise<boolean> {
    const found = await this.#objects.find(layoutName(root))
    return found !== null && this.#isStored(found)
  }

  async check(): Promise<void> {
    try {
      await this.#pinning.check()
    } catch (error) {
      throw checkFault(this.place, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pinning[Symbol.asyncDispose]()
  }
}

function layoutName(root: Uint8Array): ObjectName {
  return `layouts/${root.toHex()}`
}

function usedTwice(): RegistryError {
  return new RegistryError('INTERNAL', 'A storage key was used twice.')
}
