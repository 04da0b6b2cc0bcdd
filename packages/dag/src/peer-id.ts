import { base58btc } from 'multiformats/bases/base58'
import { identityCode } from './cid-parts.ts'

/** A public key as libp2p writes it: Protocol Buffers, type Ed25519, 32 bytes of key (libp2p specs, "Peer Ids and Keys"). */
const keyHead = Uint8Array.of(0x08, 0x01, 0x12, 0x20)

/**
 * The name of a node of the network: the key itself, since it is short enough, as an identity multihash in base58btc.
 * @param ed25519 the public key, 32 bytes.
 */
export function peerId(ed25519: Uint8Array): string {
  if (ed25519.length !== 32) throw new RangeError(`An Ed25519 key has 32 bytes, not ${ed25519.length}.`)
  const size = keyHead.length + ed25519.length
  // Written without the prefix that other uses of base58btc have.
  return base58btc.baseEncode(Uint8Array.from([identityCode, size, ...keyHead, ...ed25519]))
}
