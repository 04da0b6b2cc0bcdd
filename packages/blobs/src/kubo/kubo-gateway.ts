import { RegistryError } from '@openregistry/oci'
import { HttpPeer } from '../ipfs/http-peer.ts'
import { gatewayUrl } from './gateway-address.ts'
import type { KuboRpc } from './kubo-rpc.ts'

/** How long an address that Kubo told is believed, in milliseconds: it may come back with another configuration. */
const believed = 60_000

/** Finds the gateway of a Kubo node, and keeps its connections. */
export class KuboGateway {
  readonly #rpc: KuboRpc
  readonly #options: GatewayFinding
  #peer: HttpPeer | null = null
  #askAgainAt = 0

  constructor(rpc: KuboRpc, options: GatewayFinding) {
    this.#rpc = rpc
    this.#options = options
  }

  /**
   * The gateway: the one that was named, else the one in Kubo's configuration.
   * @throws RegistryError `STORAGE_UNAVAILABLE` when Kubo has none; PeerUnreachable, PeerRefusal.
   */
  async find(): Promise<HttpPeer> {
    const { url } = this.#options
    if (this.#peer !== null && (url !== null || performance.now() < this.#askAgainAt)) return this.#peer
    const found = url ?? gatewayUrl(await this.#rpc.config('Addresses.Gateway'), this.#options.apiUrl)
    if (found === null) {
      throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
        cause: new Error(
          'Kubo has no gateway on a TCP port. Set its Addresses.Gateway, or dfs.ipfs.gateway_url.',
        ),
      })
    }
    this.#askAgainAt = performance.now() + believed
    if (this.#peer?.url === found) return this.#peer
    this.#peer?.close()
    const { timeout, connections } = this.#options
    return (this.#peer = new HttpPeer({ url: found, authorization: null, timeout, connections }))
  }

  close(): void {
    this.#peer?.close()
  }
}

interface GatewayFinding {
  /** Null: Kubo is asked. */
  url: string | null
  apiUrl: string
  timeout: number
  connections: number
}
