import {
  uploadOf,
  type BlobStore,
  type ByteRange,
  type LayoutBlocks,
  type Lists,
  type ListsUploads,
  type ObjectReader,
  type PinsLayouts,
  type ReportsCids,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { within } from '../within.ts'
import { checkFault } from './check-fault.ts'
import { ClaimedIdentity } from './claimed-identity.ts'
import { defaultRetry } from './defaults.ts'
import type { Gateway } from './gateway.ts'
import { layoutObject } from './layout-dag.ts'
import { objectOf, type ObjectDag } from './object-dag.ts'
import type { ObjectIndex, ObjectName } from './object-index.ts'
import type { PinService } from './pin-service.ts'
import { PinnedObjects } from './pinned-objects.ts'
import { pinnedTexts } from './pinned-texts.ts'
import { persistently } from './retrying.ts'
import type { Spooled } from './spooled.ts'
import { SpoolingStore, type SpoolingOptions } from './spooling-store.ts'

/**
 * How long a claim of an identity waits, in milliseconds. A pin replaces another one of the same CID, so of servers that begin
 * at the same moment all write, and the last one's stays. Who is later than that finds that the database knows another one
 * than it has written, and puts that back.
 */
const settling = 1000

/** What stores of pinned objects have in common. */
export interface PinnedStoreOptions extends SpoolingOptions {
  /** See `BlobStore.public`; true unless said otherwise, since IPFS is a public network unless configured otherwise. */
  public?: boolean
  /** The name of the registry among those that use the same service. */
  registry?: string
  /** Milliseconds that the service may stay silent while something is awaited from it. */
  timeout?: number
  /** Milliseconds in which something is tried again that did not reach it. */
  retryWithin?: number
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
  extends SpoolingStore
  implements BlobStore, Lists, ListsUploads, ReportsCids, PinsLayouts
{
  readonly backend: string
  readonly public: boolean
  /** Behind the same address may be another node tomorrow, or the same one with an empty repository. */
  readonly mountable = true
  readonly #pinning: Pinning
  readonly #retryWithin: number
  readonly #objects: PinnedObjects

  constructor(backend: string, pinning: Pinning, options: PinnedStoreOptions) {
    const { pins, index } = pinning
    const retryWithin = options.retryWithin ?? defaultRetry
    super(new ClaimedIdentity(pinnedTexts(pins, index, retryWithin), settling), options)
    this.backend = backend
    this.public = options.public ?? true
    this.#pinning = pinning
    this.#retryWithin = retryWithin
    this.#objects = new PinnedObjects(pins, index, retryWithin)
  }

  get place(): string {
    return this.#pinning.place
  }

  protected async isUsed(key: StorageKey): Promise<boolean> {
    return (await this.#objects.find(key)) !== null
  }

  protected store(key: StorageKey, content: Spooled, signal: AbortSignal | undefined): Promise<void> {
    return this.#objects.store(key, objectOf(key, content), signal)
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const found = await this.#objects.find(key)
    if (found === null) return null
    const { file, size } = found
    const wanted = within(size, range)
    if (!this.#pinning.opensUnseen && !(await this.#isStored(found))) return null
    return this.reader(this.#pinning.gateway.source(file, size), size, wanted)
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
    await this.inTurn(() => this.#objects.store(name, object))
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
