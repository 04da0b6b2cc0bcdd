/** Bytes in a leaf of profile `unixfs-v1-2025` (IPIP-499); the last leaf has what is left. */
export const unixfsLeafSize = 1024 * 1024

/** Links that a node of this profile has, the last one of a level excepted. */
export const unixfsLinks = 1024

/** Bytes of the largest block that nodes of IPFS hand each other (Bitswap, trustless gateways). */
export const maxBlockSize = 2 * 1024 * 1024

/** Bytes of a SHA-256, and so of an entry of a packed list of them. */
export const hashSize = 32

/**
 * How many blocks each level of the tree over `size` bytes has: leaves first, the root last. Content that fits in a leaf
 * is that leaf alone, empty content an empty leaf. All leaves are equally deep, so above a full number of
 * children there are parents with a single child.
 * @throws RangeError when the size is not an integer from 0 to 2^53-1.
 */
export function unixfsLevels(size: number): number[] {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`No content has ${size} bytes.`)
  const levels = [Math.max(1, Math.ceil(size / unixfsLeafSize))]
  for (let count = levels[0]!; count > 1; levels.push(count)) count = Math.ceil(count / unixfsLinks)
  return levels
}

/** What the parent of a run of equal children needs to know about each of them, in bytes. */
export interface BlockSizes {
  /** Content under the block. */
  file: number
  /** The encoded block and all below it, as `Tsize` of a link counts. */
  total: number
}

/** What a parent at `level` links to: `count` children, all `full` but the last. */
export interface Children {
  count: number
  full: BlockSizes
  last: BlockSizes
}
