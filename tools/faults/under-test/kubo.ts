import { HttpFaultProxy, KuboNode } from '@openregistry/testkit'
import type { BlobPlace } from './blob-place.ts'
import { pinnedPlace } from './pinned-place.ts'

/** A real Kubo node, which can crash, behind proxies that can break requests. */
export class KuboUnderTest implements AsyncDisposable {
  readonly node: KuboNode
  readonly api: HttpFaultProxy
  readonly gateway: HttpFaultProxy

  private constructor(node: KuboNode, api: HttpFaultProxy, gateway: HttpFaultProxy) {
    this.node = node
    this.api = api
    this.gateway = gateway
  }

  /** Starts a node that has nothing. */
  static async open(): Promise<KuboUnderTest> {
    await using opened = new AsyncDisposableStack()
    const node = opened.use(await KuboNode.start())
    const api = opened.use(await HttpFaultProxy.start(node.apiUrl))
    const gateway = opened.use(await HttpFaultProxy.start(node.gatewayUrl))
    opened.move()
    return new KuboUnderTest(node, api, gateway)
  }

  /** What the configuration of a registry says about it. */
  get env(): Readonly<Record<string, string>> {
    return {
      OPEN_REGISTRY_DFS_IPFS_API_URL: this.api.url,
      OPEN_REGISTRY_DFS_IPFS_GATEWAY_URL: this.gateway.url,
      OPEN_REGISTRY_DFS_IPFS_TIMEOUT: '5s',
      OPEN_REGISTRY_DFS_IPFS_RETRY: '2s',
    }
  }

  /** Its objects, by the pins of the index. */
  get place(): BlobPlace {
    return pinnedPlace(this.node, async () => {
      const entries = Object.entries(await this.#pins('direct'))
      const held = Object.keys(await this.#pins('recursive'))
      return { entries: entries.map(([cid, { Name = '' }]) => [cid, Name] as const), held }
    })
  }

  async #pins(type: 'direct' | 'recursive'): Promise<Record<string, { Name?: string }>> {
    const answer = JSON.parse(await this.node.call('pin/ls', { type, names: 'true' })) as {
      Keys?: Record<string, { Name?: string }>
    }
    return answer.Keys ?? {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
    await this.node[Symbol.asyncDispose]()
  }
}
