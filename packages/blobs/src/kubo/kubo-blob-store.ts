import { RegistryError } from '@openregistry/oci'
import {
  uploadOf,
  type BlobStore,
  type ByteRange,
  type Lists,
  type ListsUploads,
  type ObjectReader,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { Gateway } from '../ipfs/gateway.ts'
import { HttpPeer } from '../ipfs/http-peer.ts'
import { objectOf, type ObjectDag } from '../ipfs/object-dag.ts'
import { ObjectIndex } from '../ipfs/object-index.ts'
import { backendFault } from '../ipfs/peer-fault.ts'
import { Spool } from '../ipfs/spool.ts'
import { spooled, webHashLeaf, type HashLeaf } from '../ipfs/spooled.ts'
import { Turns } from '../ipfs/turns.ts'
import { ReadBuffers } from '../reading/read-buffers.ts'
import { SpanReader } from '../reading/span-reader.ts'
import { within } from '../within.ts'
import { KuboGateway } from './kubo-gateway.ts'
import { KuboObjects } from './kubo-objects.ts'
import { KuboRpc } from './kubo-rpc.ts'

const mebi = 1024 * 1024

/** Settings of {@link openKuboBlobStore}. */
export interface KuboBlobStoreOptions {
  /** Scheme, host and port of Kubo's RPC API. */
  apiUrl: string
  /** What its `API.Authorizations` asks for, as Kubo writes it: `bearer:<token>`, `basic:<user>:<password>`; else a token. */
  apiToken?: string | null
  /** Scheme, host and port of its gateway; null: Kubo is asked. */
  gatewayUrl?: string | null
  /** The folder in which content waits until Kubo can take it. */
  spool: string
  /** See `BlobStore.public`; true unless said otherwise, since a node is part of the public network unless configured otherwise. */
  public?: boolean
  /** The name in `blob_locations.backend`; `kubo` unless said otherwise. */
  backend?: string
  /** The name of the registry among those that use the node; `openregistry` unless said otherwise. */
  registry?: string
  /** Milliseconds that Kubo may stay silent while something is awaited from it; 30 s unless said otherwise. */
  timeout?: number
  /** Milliseconds in which something is tried again that did not reach Kubo; 15 s unless said otherwise. */
  retryWithin?: number
  /** Hashes leaves off the event loop; with Web Cryptography unless said otherwise. */
  hashLeaf?: HashLeaf
}

/**
 * Opens a Kubo node as a blob store. Nothing is asked of the node yet: it may come later.
 * @throws TypeError when a URL is none.
 */
export function openKuboBlobStore(options: KuboBlobStoreOptions): BlobStore & Lists & ListsUploads {
  return new KuboBlobStore(options)
}

/** Objects that are sent to Kubo at a time; others wait in the spool. */
const importsAtOnce = 4

/** Connections for calls, and for reads. */
const connections = 32

/** Milliseconds for the answers of a check, which has to be quicker than whoever asks for it loses patience. */
const checkTimeout = 2500

/** Bytes of one read through the gateway. */
const largestRead = 2 * mebi

class KuboBlobStore implements BlobStore, Lists, ListsUploads {
  readonly backend: string
  readonly public: boolean
  readonly #api: HttpPeer
  readonly #rpc: KuboRpc
  readonly #gatewayFinder: KuboGateway
  readonly #gateway: Gateway
  readonly #index: ObjectIndex
  readonly #objects: KuboObjects
  readonly #spool: Spool
  readonly #hashLeaf: HashLeaf
  readonly #imports = new Turns(importsAtOnce)
  readonly #buffers = new ReadBuffers(64 * mebi)
  /** Keys whose objects are being written by this process. */
  readonly #writing = new Set<StorageKey>()

  constructor(options: KuboBlobStoreOptions) {
    const { backend = 'kubo', registry = 'openregistry', timeout = 30_000, retryWithin = 15_000 } = options
    this.backend = backend
    this.public = options.public ?? true
    const apiUrl = new URL(options.apiUrl).origin
    const gatewayUrl = options.gatewayUrl == null ? null : new URL(options.gatewayUrl).origin
    this.#api = new HttpPeer({
      url: apiUrl,
      authorization: authorizationOf(options.apiToken ?? null),
      timeout,
      connections,
    })
    this.#rpc = new KuboRpc(this.#api)
    this.#gatewayFinder = new KuboGateway(this.#rpc, { url: gatewayUrl, apiUrl, timeout, connections })
    this.#gateway = new Gateway({ peer: () => this.#gatewayFinder.find(), local: true, retryWithin })
    this.#index = new ObjectIndex(registry)
    this.#objects = new KuboObjects(this.#rpc, this.#index, retryWithin)
    this.#spool = new Spool(options.spool)
    this.#hashLeaf = options.hashLeaf ?? webHashLeaf
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
      await this.#imports.run(() => this.#objects.store(key, object, signal), signal)
      return { size: content.size }
    } finally {
      this.#writing.delete(key)
    }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const found = await this.#locate(key)
    if (found === null) return null
    const { file, size } = found
    const span = { source: this.#gateway.source(file, size), size, ...within(size, range) }
    return new SpanReader(span, this.#buffers, largestRead)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const found = await this.#locate(key)
    return found === null ? null : { size: found.size }
  }

  /** An object whose bytes are there: the index has it before they are. */
  async #locate(key: StorageKey): Promise<ObjectDag | null> {
    const found = await this.#objects.find(key)
    return found !== null && (await this.#gateway.has(found.file)) ? found : null
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

  async check(): Promise<void> {
    try {
      // A pin is a write, and this one is always the same, so that it leaves nothing behind.
      await this.#rpc.pinDirectly(this.#index.cidOfText('probe'), 'probe', checkTimeout)
      await this.#gateway.probe(checkTimeout)
    } catch (error) {
      throw backendFault(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.close()
    this.#gatewayFinder.close()
  }
}

function usedTwice(): RegistryError {
  return new RegistryError('INTERNAL', 'A storage key was used twice.')
}

/** The header for a secret in the notation of Kubo's `API.Authorizations` and `--api-auth`. */
function authorizationOf(token: string | null): string | null {
  if (token === null) return null
  if (token.startsWith('basic:')) return `Basic ${Buffer.from(token.slice(6)).toString('base64')}`
  return `Bearer ${token.startsWith('bearer:') ? token.slice(7) : token}`
}
