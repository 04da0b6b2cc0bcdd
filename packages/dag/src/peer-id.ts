import { base58btc } from 'multiformats/bases/base58'
import { identityCode } from './cid-parts.ts'

/** A public key as libp2p writes it: Protocol Buffers, type Ed25519, 32 bytes of key (libp2p specs, "Peer Ids and Keys"). */
export const publicKeyHead = Uint8Array.of(0x08, 0x01, 0x12, 0x20)

/** The same with its key. @param ed25519 the public key, 32 bytes. */
export function publicKeyBytes(ed25519: Uint8Array): Uint8Array {
  if (ed25519.length !== 32) throw new RangeError(`An Ed25519 key has 32 bytes, not ${ed25519.length}.`)
  return Uint8Array.from([...publicKeyHead, ...ed25519])
}

/**
 * The name of a node of the network: the key itself, since it is short enough, as an identity multihash in base58btc.
 * @param ed25519 the public key, 32 bytes.
 */
export function peerId(ed25519: Uint8Array): string {
  const key = publicKeyBytes(ed25519)
  // Written without the prefix that other uses of base58btc have.
  return base58btc.baseEncode(Uint8Array.from([identityCode, key.length, ...key]))
}
