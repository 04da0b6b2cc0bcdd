import { HttpFaultProxy, IpfsClusterPeer, KuboNode } from '@openregistry/testkit'
import type { BlobPlace } from './blob-place.ts'
import { isEntry, pinnedPlace, type Pinned } from './pinned-place.ts'

/** A real peer of an IPFS Cluster, which can crash, and its node, behind proxies that can break requests. */
export class IpfsClusterUnderTest implements AsyncDisposable {
  readonly node: KuboNode
  readonly peer: IpfsClusterPeer
  readonly api: HttpFaultProxy
  readonly gateway: HttpFaultProxy

  private constructor(node: KuboNode, peer: IpfsClusterPeer, api: HttpFaultProxy, gateway: HttpFaultProxy) {
    this.node = node
    this.peer = peer
    this.api = api
    this.gateway = gateway
  }

  /** Starts a cluster of one that has nothing. */
  static async open(): Promise<IpfsClusterUnderTest> {
    await using opened = new AsyncDisposableStack()
    const node = opened.use(await KuboNode.start())
    const peer = opened.use(await IpfsClusterPeer.start(node))
    const api = opened.use(await HttpFaultProxy.start(peer.apiUrl))
    const gateway = opened.use(await HttpFaultProxy.start(node.gatewayUrl))
    opened.move()
    return new IpfsClusterUnderTest(node, peer, api, gateway)
  }

  /** What the configuration of a registry says about it. */
  get env(): Readonly<Record<string, string>> {
    return {
      OPEN_REGISTRY_DFS_DEFAULT: 'cluster',
      OPEN_REGISTRY_DFS_CLUSTER_API_URL: this.api.url,
      OPEN_REGISTRY_DFS_CLUSTER_GATEWAY_URL: this.gateway.url,
      OPEN_REGISTRY_DFS_CLUSTER_TIMEOUT: '5s',
      OPEN_REGISTRY_DFS_CLUSTER_RETRY: '2s',
    }
  }

  /** Its objects, by the pins of the index. */
  get place(): BlobPlace {
    return pinnedPlace(this.node, () => this.#pinned())
  }

  async #pinned(): Promise<Pinned> {
    const answer = await fetch(`${this.peer.apiUrl}/allocations`)
    const lines = (await answer.text()).split('\n').filter((line) => line !== '')
    const pins = lines.map((line) => JSON.parse(line) as { cid: string; metadata?: { entry?: string } })
    return {
      entries: pins.map(({ cid, metadata }) => [cid, metadata?.entry ?? ''] as const),
      held: pins.map(({ cid }) => cid).filter((cid) => !isEntry(cid)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
    await this.peer[Symbol.asyncDispose]()
    await this.node[Symbol.asyncDispose]()
  }
}
