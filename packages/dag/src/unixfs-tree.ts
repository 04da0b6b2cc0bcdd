import { dagPbCid, rawCid } from './cid.ts'
import type { Cid } from './cid.ts'
import { encodeNode, fileSize, nodeSize } from './unixfs-node.ts'
import { hashSize, unixfsLeafSize, unixfsLevels, unixfsLinks } from './unixfs-shape.ts'
import type { BlockSizes, Children } from './unixfs-shape.ts'

/** SHA-256 of some bytes. They are a buffer that is written again, so the function must not keep them. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** What is known about content once it was read: enough to derive every block above its leaves. */
export interface UnixfsContent {
  /** In bytes. */
  size: number
  /** SHA-256 of each leaf in order, packed, 32 bytes each. Empty content has none. */
  leaves: Uint8Array
}

/**
 * The tree of profile `unixfs-v1-2025` (IPIP-499: CIDv1, SHA-256, raw leaves of 1 MiB, 1024 links, balanced) over content that
 * is not here.
 * @param input `sha256` is that of the whole content; up to 1 MiB it is its CID.
 * @returns the CID of the root, and for each level above the leaves, level 1 first, the SHA-256 of its nodes in order,
 * packed, 32 bytes each. No levels up to 1 MiB.
 * @throws RangeError when size, hash and leaves do not belong together.
 */
export function unixfsTree(
  input: UnixfsContent & { sha256: Uint8Array },
  sha256: Sha256,
): { cid: Cid; nodes: Uint8Array[] } {
  const tree = measure(input)
  const nodes: Uint8Array[] = []
  let children = input.leaves
  for (let level = 1; level < tree.counts.length; level++) {
    children = hashNodes(tree, level, children, 0, tree.counts[level]!, sha256)
    nodes.push(children)
  }
  return { cid: nodes.length === 0 ? rawCid(input.sha256) : dagPbCid(children), nodes }
}

/**
 * The bytes of one node. Only what lies under it is looked at: nothing but its leaves on level 1; on the levels above, the
 * hashes of its children, which are taken from `nodes` where they are given and derived again otherwise.
 * @param input `nodes` as {@link unixfsTree} returned them, or its first levels.
 * @param level 1 is just above the leaves.
 * @param index of the node in its level, from 0.
 * @throws RangeError when there is no such node, or size and leaves do not belong together.
 */
export function unixfsNode(
  input: UnixfsContent & { nodes?: readonly Uint8Array[] },
  level: number,
  index: number,
  sha256: Sha256,
): Uint8Array {
  const tree = measure(input)
  const count = level >= 1 ? tree.counts[level] : undefined
  if (count === undefined || !Number.isInteger(index) || index < 0 || index >= count) {
    throw new RangeError(`Content of ${input.size} bytes has no node ${index} on level ${level}.`)
  }
  const children = childrenOf(tree, level, index)
  const hashes = hashesBelow(tree, input, level, index * unixfsLinks, children.count, sha256)
  return encodeNode(new Uint8Array(nodeSize(children)), hashes, children, level)
}

/**
 * Bytes of all blocks of the tree over content of a size together: `Tsize` of a link to it, however often a block
 * occurs.
 * @throws RangeError when the size is not an integer from 0 to 2^53-1.
 */
export function unixfsDagSize(size: number): number {
  return measureSize(size).last.at(-1)!.total
}

/** The sizes in a tree: on each level all blocks are alike but the last. */
interface Measured {
  /** Blocks of each level, the leaves first. */
  counts: number[]
  full: BlockSizes[]
  last: BlockSizes[]
}

function measure({ size, leaves }: UnixfsContent): Measured {
  const tree = measureSize(size)
  const expected = size === 0 ? 0 : tree.counts[0]! * hashSize
  if (leaves.length !== expected) {
    throw new RangeError(
      `Content of ${size} bytes needs ${expected} bytes of leaf hashes, not ${leaves.length}.`,
    )
  }
  return tree
}

function measureSize(size: number): Measured {
  const counts = unixfsLevels(size)
  const rest = size - (counts[0]! - 1) * unixfsLeafSize
  const tree: Measured = {
    counts,
    full: [{ file: unixfsLeafSize, total: unixfsLeafSize }],
    last: [{ file: rest, total: rest }],
  }
  for (let level = 1; level < counts.length; level++) {
    const below = tree.full[level - 1]!
    tree.full.push(sizesOf({ count: unixfsLinks, full: below, last: below }))
    tree.last.push(sizesOf(childrenOf(tree, level, counts[level]! - 1)))
  }
  return tree
}

function sizesOf(children: Children): BlockSizes {
  const below = (children.count - 1) * children.full.total + children.last.total
  return { file: fileSize(children), total: nodeSize(children) + below }
}

function childrenOf(tree: Measured, level: number, index: number): Children {
  const below = tree.counts[level - 1]!
  const first = index * unixfsLinks
  const count = Math.min(unixfsLinks, below - first)
  const full = tree.full[level - 1]!
  return { count, full, last: first + count === below ? tree.last[level - 1]! : full }
}

/** Hashes of `count` nodes of a level from `first` on. `hashes` are those of all their children, packed. */
function hashNodes(
  tree: Measured,
  level: number,
  hashes: Uint8Array,
  first: number,
  count: number,
  sha256: Sha256,
): Uint8Array {
  const packed = new Uint8Array(count * hashSize)
  const scratch = new Uint8Array(nodeSize(childrenOf(tree, level, first)))
  for (let i = 0; i < count; i++) {
    const children = childrenOf(tree, level, first + i)
    const start = i * unixfsLinks * hashSize
    const own = hashes.subarray(start, start + children.count * hashSize)
    packed.set(sha256(encodeNode(scratch, own, children, level)), i * hashSize)
  }
  return packed
}

/** Hashes of `count` blocks of the level below `level`, from `first` on. */
function hashesBelow(
  tree: Measured,
  input: UnixfsContent & { nodes?: readonly Uint8Array[] },
  level: number,
  first: number,
  count: number,
  sha256: Sha256,
): Uint8Array {
  const known = level === 1 ? input.leaves : input.nodes?.[level - 2]
  if (known !== undefined) return known.subarray(first * hashSize, (first + count) * hashSize)
  const firstBelow = first * unixfsLinks
  const below = Math.min(count * unixfsLinks, tree.counts[level - 2]! - firstBelow)
  const hashes = hashesBelow(tree, input, level - 1, firstBelow, below, sha256)
  return hashNodes(tree, level - 1, hashes, first, count, sha256)
}
