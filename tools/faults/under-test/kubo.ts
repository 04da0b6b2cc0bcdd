import { cidParts, parseCid } from '@openregistry/dag'
import { HttpFaultProxy, KuboNode } from '@openregistry/testkit'
import type { BlobPlace } from './blob-place.ts'

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

  /**
   * Its objects, by the pins of the index, and layouts as `layouts/<SHA-256 of the root>`; pins that hold something and belong to
   * no entry are among the keys, too.
   */
  get place(): BlobPlace {
    return {
      keys: async () => {
        const objects = await this.#objects()
        const held = new Set([emptyDirectory, ...[...objects.values()].map(({ pin }) => pin)])
        const pins = Object.keys(await this.#pins('recursive'))
        return [...objects.keys(), ...pins.filter((pin) => !held.has(pin)).map((pin) => `of the pin ${pin}`)]
      },
      open: async (key) => {
        const file = (await this.#objects()).get(key)?.file
        if (file === undefined) return null
        const answer = await fetch(`${this.node.gatewayUrl}/ipfs/${file}`, {
          headers: { 'cache-control': 'only-if-cached' },
        })
        return answer.ok ? answer.body : null
      },
    }
  }

  /** Entries of the index: a pin of a CID that contains the key, whose name says what it leads to. */
  async #objects(): Promise<Map<string, { pin: string; file: string }>> {
    const objects = new Map<string, { pin: string; file: string }>()
    for (const [cid, { Name = '' }] of Object.entries(await this.#pins('direct'))) {
      const [, key] =
        /^openregistry\/([0-9a-f]{32}\/[0-9a-f]{32}|layouts\/[0-9a-f]{64})$/.exec(textOf(cid)) ?? []
      const [pin = '', file = ''] = Name.split(' ')
      if (key !== undefined) objects.set(key, { pin, file })
    }
    return objects
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

/** What every node has pinned of itself. */
const emptyDirectory = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'

/** The text that an identity CID is. */
function textOf(cid: string): string {
  return new TextDecoder().decode(cidParts(parseCid(cid)).digest)
}
