import { unixfsLeafSize, unixfsNode, unixfsTree, type Sha256 } from '@openregistry/dag'
import type { HashedBlock } from '../ports/ipfs.ts'

/**
 * All blocks of a content that is in memory, the root last.
 * @param whole SHA-256 of the content.
 */
export function* blocksInMemory(
  bytes: Uint8Array,
  whole: Uint8Array,
  sha256: Sha256,
): Generator<HashedBlock, void, undefined> {
  const size = bytes.length
  if (size <= unixfsLeafSize) return yield { sha256: whole, bytes }
  const leaves: Uint8Array[] = []
  for (let at = 0; at < size; at += unixfsLeafSize) {
    const leaf = bytes.subarray(at, at + unixfsLeafSize)
    // A copy: the function may use its memory again.
    const hash = Uint8Array.from(sha256(leaf))
    leaves.push(hash)
    yield { sha256: hash, bytes: leaf }
  }
  const packed = new Uint8Array(Buffer.concat(leaves))
  const tree = unixfsTree({ size, leaves: packed, sha256: whole }, sha256)
  for (const [below, hashes] of tree.nodes.entries()) {
    for (let index = 0; index * 32 < hashes.length; index++) {
      const node = unixfsNode({ size, leaves: packed, nodes: tree.nodes }, below + 1, index, sha256)
      yield { sha256: hashes.subarray(index * 32, index * 32 + 32), bytes: node }
    }
  }
}
