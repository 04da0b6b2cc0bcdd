import { hash } from 'node:crypto'
import { leafSize, type ContentHashes } from '@openregistry/core'

/**
 * The hashes of a body that is in memory anyway, at once. For bodies of up to some 16 KiB: what is longer keeps the
 * event loop for longer than the trip to a thread would take.
 */
export function hashInline(bytes: Uint8Array, { sha512 }: { sha512: boolean }): ContentHashes {
  const sha256 = digest('sha256', bytes)
  const leaves = new Uint8Array(32 * Math.ceil(bytes.length / leafSize))
  if (bytes.length <= leafSize) leaves.set(sha256.subarray(0, leaves.length))
  else {
    for (let leaf = 0; leaf * leafSize < bytes.length; leaf++) {
      leaves.set(digest('sha256', bytes.subarray(leaf * leafSize, (leaf + 1) * leafSize)), leaf * 32)
    }
  }
  return { size: bytes.length, sha256, sha512: sha512 ? digest('sha512', bytes) : null, leaves }
}

/** One digest in one call; an array of its own, not a view of Node's shared buffer pool. */
function digest(algorithm: 'sha256' | 'sha512', bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash(algorithm, bytes, 'buffer'))
}
