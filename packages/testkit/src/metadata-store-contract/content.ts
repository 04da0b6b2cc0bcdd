import { createHash, randomBytes } from 'node:crypto'
import { unixfsTree, type Cid } from '@openregistry/dag'
import { formatDigest, parseRepositoryName, type Digest, type RepositoryName } from '@openregistry/oci'

/** Size of a leaf of the IPFS tree, in bytes. */
const leafSize = 1024 * 1024

/** Bytes with everything that a store is told about them. */
export interface HashedContent {
  bytes: Uint8Array
  size: number
  sha256: Digest
  sha512: Digest
  cid: Cid
  leaves: Uint8Array
  nodes: readonly Uint8Array[]
}

/** A repository that no other test uses. */
export function newName(namespace = randomWord()): RepositoryName {
  return parseRepositoryName(`${namespace}/${randomWord()}`)
}

/** A word that no other test uses. */
export function randomWord(): string {
  return `x${randomBytes(8).toString('hex')}`
}

/** New random bytes, or those given, hashed. */
export function hashedContent(bytes: Uint8Array | string = randomBytes(40)): HashedContent {
  const own = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes)
  const whole = sha256Of(own)
  const leaves = packedLeaves(own)
  const { cid, nodes } = unixfsTree({ size: own.length, sha256: whole, leaves }, sha256Of)
  return {
    bytes: own,
    size: own.length,
    sha256: formatDigest('sha256', whole),
    sha512: formatDigest('sha512', createHash('sha512').update(own).digest()),
    cid,
    leaves,
    nodes,
  }
}

/** A digest of nothing that anybody has. */
export function unknownDigest(): Digest {
  return formatDigest('sha256', randomBytes(32))
}

export function sha256Of(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}

function packedLeaves(bytes: Uint8Array): Uint8Array {
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += leafSize) hashes.push(sha256Of(bytes.subarray(at, at + leafSize)))
  return Uint8Array.from(Buffer.concat(hashes))
}
