import type { Cid } from '@openregistry/dag'
import type { SpanSource } from '../reading/span-reader.ts'
import { refusalOf } from './answer-lines.ts'
import type { HttpAnswer, HttpPeer } from './http-peer.ts'
import { rangeSource } from './range-source.ts'
import { persistently } from './retrying.ts'

/** How to read through a gateway. */
export interface GatewayOptions {
  /** The gateway, looked up again for each attempt, since a node may come back elsewhere. */
  peer: () => Promise<HttpPeer>
  /** Whether only the node itself is asked, never the network behind it. */
  local: boolean
  /** Milliseconds after the first attempt in which another one may begin. */
  retryWithin: number
}

/** The gateway of a node: the fast way to read, in ranges. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #headers: Record<string, string>

  constructor(options: GatewayOptions) {
    this.#options = options
    // Without this a node asks the network for what it has not got, and waits.
    this.#headers = options.local ? { 'cache-control': 'only-if-cached' } : {}
  }

  /**
   * Whether the node has the root of this file, so that it can be read; its leaves are not looked at.
   * @throws RegistryError `STORAGE_UNAVAILABLE`.
   */
  async has(file: Cid): Promise<boolean> {
    return this.#again(async (peer) => {
      const answer = await peer.ask({ method: 'HEAD', path: `/ipfs/${file}`, headers: this.#headers })
      if (answer.status === 200 || answer.status === 412) {
        for await (const _ of answer.chunks);
        return answer.status === 200
      }
      throw await refusalOf(answer)
    })
  }

  /** Whether the gateway answers at all, by the identity CID of nothing, which every gateway has. One attempt. */
  async probe(timeout: number): Promise<void> {
    const peer = await this.#options.peer()
    const answer = await peer.ask({ method: 'HEAD', path: '/ipfs/bafkqaaa', timeout })
    if (answer.status !== 200) throw await refusalOf(answer)
    for await (const _ of answer.chunks);
  }

  /** A file of `size` bytes to read from. */
  source(file: Cid, size: number): SpanSource {
    const { retryWithin } = this.#options
    const ask = async (range: string, signal: AbortSignal): Promise<HttpAnswer> => {
      const peer = await this.#options.peer()
      return peer.ask({ method: 'GET', path: `/ipfs/${file}`, headers: { ...this.#headers, range }, signal })
    }
    return rangeSource({ size, who: 'The gateway', ask, retryWithin })
  }

  #again<T>(attempt: (peer: HttpPeer) => Promise<T>): Promise<T> {
    const { peer, retryWithin } = this.#options
    return persistently(async () => attempt(await peer()), { within: retryWithin })
  }
}
