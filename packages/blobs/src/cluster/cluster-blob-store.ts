import type { BlobStore, KeepsIdentity, Lists, ListsUploads, PinsLayouts } from '@openregistry/core'
import { authorizationOf } from '../ipfs/api-token.ts'
import { checkTimeout, connections, defaultRetry, defaultTimeout } from '../ipfs/defaults.ts'
import { Gateway } from '../ipfs/gateway.ts'
import { HttpPeer } from '../ipfs/http-peer.ts'
import type { ObjectDag } from '../ipfs/object-dag.ts'
import { ObjectIndex } from '../ipfs/object-index.ts'
import { PinnedBlobStore, type Pinning, type PinnedStoreOptions } from '../ipfs/pinned-blob-store.ts'
import { PeerUnreachable } from '../ipfs/peer-fault.ts'
import { ClusterRest } from './cluster-rest.ts'

/** Settings of {@link openClusterBlobStore}. */
export interface ClusterBlobStoreOptions extends PinnedStoreOptions {
  /** Scheme, host and port of the REST API of a peer; with several registries the same for all of them. */
  apiUrl: string
  /** `basic:<user>:<password>`, or a token of the cluster; null: none. */
  apiToken?: string | null
  /** Scheme, host and port of the gateway of a Kubo node of the cluster. */
  gatewayUrl: string
  /** Peers that have to have an object before it is stored; null: all that the cluster gives it to and that answer. */
  replicationMin?: number | null
  /** Peers that are to have it in the end; null: as the cluster is configured. */
  replicationMax?: number | null
}

/**
 * Opens an IPFS Cluster as a blob store, `cluster` in `blob_locations.backend`. Nothing is asked of it yet.
 * @throws TypeError when a URL is none.
 */
export function openClusterBlobStore(
  options: ClusterBlobStoreOptions,
): BlobStore & Lists & ListsUploads & KeepsIdentity & PinsLayouts {
  return new PinnedBlobStore('cluster', new ClusterPinning(options), options)
}

class ClusterPinning implements Pinning {
  readonly place: string
  readonly pins: ClusterRest
  readonly index: ObjectIndex
  readonly gateway: Gateway
  /** The gateway fetches from other peers what its own node lacks, and to ask all of them takes longer than to read. */
  readonly opensUnseen = true
  readonly #api: HttpPeer
  readonly #gatewayPeer: HttpPeer

  constructor(options: ClusterBlobStoreOptions) {
    const { timeout = defaultTimeout, retryWithin = defaultRetry } = options
    const authorization = authorizationOf(options.apiToken ?? null)
    const url = new URL(options.apiUrl).origin
    this.place = `the IPFS Cluster ${url} (dfs.cluster.api_url)`
    this.#api = new HttpPeer({ url, authorization, timeout, connections })
    const replication = { min: options.replicationMin ?? null, max: options.replicationMax ?? null }
    this.pins = new ClusterRest(this.#api, replication, timeout)
    this.index = new ObjectIndex(options.registry ?? 'openregistry')
    const gatewayUrl = new URL(options.gatewayUrl).origin
    this.#gatewayPeer = new HttpPeer({ url: gatewayUrl, authorization: null, timeout, connections })
    this.gateway = new Gateway({ peer: () => Promise.resolve(this.#gatewayPeer), local: false, retryWithin })
  }

  /** @throws PeerUnreachable when no peer has it, and some do not answer. */
  async isStored({ pin }: ObjectDag): Promise<boolean> {
    const status = await this.pins.status(pin)
    if (status.some(({ state }) => state === 'pinned')) return true
    const away = status.filter(({ state }) => state === 'away').map(({ peer }) => peer)
    if (away.length > 0) throw new PeerUnreachable(`peers of the cluster do not answer: ${away.join(', ')}`)
    return false
  }

  async check(): Promise<void> {
    await this.pins.checkPeer(checkTimeout)
    await this.gateway.probe(checkTimeout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.close()
    this.#gatewayPeer.close()
  }
}
