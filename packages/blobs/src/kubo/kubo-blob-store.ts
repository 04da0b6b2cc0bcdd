import type {
  BlobStore,
  KeepsIdentity,
  Lists,
  ListsUploads,
  PinsLayouts,
  ReportsCids,
} from '@openregistry/core'
import { authorizationOf } from '../ipfs/api-token.ts'
import { checkTimeout, connections, defaultRetry, defaultTimeout } from '../ipfs/defaults.ts'
import { Gateway } from '../ipfs/gateway.ts'
import { HttpPeer } from '../ipfs/http-peer.ts'
import type { ObjectDag } from '../ipfs/object-dag.ts'
import { ObjectIndex } from '../ipfs/object-index.ts'
import { PinnedBlobStore, type Pinning, type PinnedStoreOptions } from '../ipfs/pinned-blob-store.ts'
import { KuboGateway } from './kubo-gateway.ts'
import { KuboRpc } from './kubo-rpc.ts'

/** Settings of {@link openKuboBlobStore}. */
export interface KuboBlobStoreOptions extends PinnedStoreOptions {
  /** Scheme, host and port of Kubo's RPC API. */
  apiUrl: string
  /** What its `API.Authorizations` asks for: `bearer:<token>`, `basic:<user>:<password>`, or a token; null: nothing. */
  apiToken?: string | null
  /** Scheme, host and port of its gateway; null: Kubo is asked. */
  gatewayUrl?: string | null
}

/**
 * Opens a Kubo node as a blob store, `kubo` in `blob_locations.backend`. Nothing is asked of the node yet: it may come later.
 * @throws TypeError when a URL is none.
 */
export function openKuboBlobStore(
  options: KuboBlobStoreOptions,
): BlobStore & Lists & ListsUploads & KeepsIdentity & PinsLayouts & ReportsCids {
  return new PinnedBlobStore('kubo', new KuboPinning(options), options)
}

class KuboPinning implements Pinning {
  readonly place: string
  readonly pins: KuboRpc
  readonly index: ObjectIndex
  readonly gateway: Gateway
  readonly opensUnseen = false
  readonly #api: HttpPeer
  readonly #found: KuboGateway

  constructor(options: KuboBlobStoreOptions) {
    const { timeout = defaultTimeout, retryWithin = defaultRetry } = options
    const url = new URL(options.apiUrl).origin
    this.place = `the Kubo node ${url} (dfs.ipfs.api_url)`
    const authorization = authorizationOf(options.apiToken ?? null)
    this.#api = new HttpPeer({ url, authorization, timeout, connections })
    this.pins = new KuboRpc(this.#api)
    this.index = new ObjectIndex(options.registry ?? 'openregistry')
    const gatewayUrl = options.gatewayUrl == null ? null : new URL(options.gatewayUrl).origin
    this.#found = new KuboGateway(this.pins, { url: gatewayUrl, apiUrl: url, timeout, connections })
    this.gateway = new Gateway({ peer: () => this.#found.find(), local: true, retryWithin })
  }

  isStored({ file }: ObjectDag): Promise<boolean> {
    return this.gateway.has(file)
  }

  async check(): Promise<void> {
    // A pin is a write, and this one is always the same, so that it leaves nothing behind.
    await this.pins.pinEntry(this.index.cidOfText('probe'), 'probe', checkTimeout)
    await this.gateway.probe(checkTimeout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.close()
    this.#found.close()
  }
}
