/** Somebody who has content (Delegated Routing V1, "Peer Schema"). */
export interface ProviderRecord {
  readonly Schema: 'peer'
  /** Peer ID in base58btc. */
  readonly ID: string
  /** Multiaddrs. */
  readonly Addrs: readonly string[]
  readonly Protocols: readonly string[]
}

/** The protocol of a trustless gateway in provider records. */
export const gatewayProtocol = 'transport-ipfs-gateway-http'
