import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A pair of keys for signatures. */
export interface SigningKey {
  privateKey: KeyObject
  /** 32 bytes. */
  publicKey: Uint8Array
}

/** Everything secret that a registry needs for itself, derived from one secret, so that one file is to be kept. */
export interface Keys {
  /**
   * 32 bytes for one purpose, which tell nothing about those for another (HKDF, RFC 5869).
   * @param purpose a text that no other part uses, with what it is for: `ipns <repository id>`.
   */
  derive(purpose: string): Uint8Array
  /** An Ed25519 key for one purpose. */
  signingKey(purpose: string): SigningKey
}

/** The purpose of the key by which nodes of IPFS know a registry. */
export const peerPurpose = 'peer'

/** The purposes of the key that snapshots are signed with, and of the secret that seals them. */
export const snapshotPurpose = 'snapshots'
export const sealPurpose = 'seal of snapshots'

/** PKCS #8 around the 32 bytes of an Ed25519 private key (RFC 8410, 7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @param secret 32 bytes of good randomness. */
export function keysOf(secret: Uint8Array): Keys {
  const derive = (purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, '', `openregistry ${purpose}`, 32))
  return {
    derive,
    signingKey(purpose) {
      const der = Buffer.concat([pkcs8Head, derive(purpose)])
      const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
      const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
      return { privateKey, publicKey: Buffer.from(x!, 'base64url') }
    },
  }
}
