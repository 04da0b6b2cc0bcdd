import { hash } from 'node:crypto'
import { unixfsLeafSize, unixfsTree } from '@openregistry/dag'
import { digestBytes, type Digest } from '@openregistry/oci'

/**
 * The leaves and nodes of a manifest's bytes. Nearly every manifest is one leaf, whose hash is its digest; only one
 * above 1 MiB is read again.
 */
export function manifestShape(
  bytes: Uint8Array,
  sha256: Digest,
): { leaves: Uint8Array; nodes: readonly Uint8Array[] } {
  if (bytes.length === 0) return { leaves: new Uint8Array(0), nodes: [] }
  const whole = digestBytes(sha256)
  if (bytes.length <= unixfsLeafSize) return { leaves: whole, nodes: [] }
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += unixfsLeafSize) {
    hashes.push(sha256Of(bytes.subarray(at, at + unixfsLeafSize)))
  }
  const leaves = Uint8Array.from(Buffer.concat(hashes))
  const { nodes } = unixfsTree({ size: bytes.length, sha256: whole, leaves }, sha256Of)
  return { leaves, nodes }
}

function sha256Of(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha256', bytes, 'buffer'))
}
