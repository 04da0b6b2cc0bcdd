import {
  cidParts,
  dagCborCodec,
  dagPbCodec,
  decodeDagPb,
  decodeDagValue,
  formatCid,
  linkedCid,
  NodeError,
  type Cid,
} from '@openregistry/dag'
import { KeySet } from '../gateway/key-set.ts'
import type { FetchBlock } from './fetch-file.ts'
import { SnapshotError } from './snapshot-error.ts'

/** What somebody has who has earlier snapshots. */
export interface EarlierBlocks {
  /** Whether a block with these bytes is there, whatever its codec is named. */
  has(cid: Cid): boolean
  /** Whether this block is there with everything below it. */
  hasBelow(cid: Cid): boolean
}

/** Levels that are followed: the trees of a snapshot, and files below them, have not half as many. */
const depthLimit = 64

/**
 * Which blocks a snapshot has, found by following its links; the key of a sealed one is not needed. Leaves of files are not
 * fetched. Memory is 21 to 43 bytes for each block, and the links of the nodes on the way.
 * @throws SnapshotError when something in it cannot be read, and what fetching throws.
 */
export async function earlierBlocks(
  root: Cid,
  fetchBlock: FetchBlock,
  signal: AbortSignal,
): Promise<EarlierBlocks> {
  // Apart, since bytes that are a node to one are a leaf to another, with nothing below it.
  const [nodes, leaves] = [new KeySet(), new KeySet()]
  const follow = async (cid: Cid, depth: number): Promise<void> => {
    const { codec, digest } = cidParts(cid)
    const isNode = codec === dagCborCodec || codec === dagPbCodec
    if (!(isNode ? nodes : leaves).add(digest) || !isNode) return
    if (depth > depthLimit) throw new SnapshotError('The snapshot is deeper than any is written.')
    for (const link of linksIn(cid, codec, await fetchBlock(cid, signal))) await follow(link, depth + 1)
  }
  await follow(root, 0)
  return {
    has: (cid) => [nodes, leaves].some((set) => set.has(cidParts(cid).digest)),
    hasBelow(cid) {
      const { codec, digest } = cidParts(cid)
      return (codec === dagCborCodec || codec === dagPbCodec ? nodes : leaves).has(digest)
    },
  }
}

function linksIn(cid: Cid, codec: number, bytes: Uint8Array): Cid[] {
  try {
    if (codec === dagPbCodec) return [...decodeDagPb(bytes).links].map((link) => formatCid(link.cid))
    return [...linksOfValue(decodeDagValue(bytes))]
  } catch (cause) {
    if (cause instanceof NodeError) throw new SnapshotError(`The block ${cid} makes no sense.`, { cause })
    throw cause
  }
}

function* linksOfValue(value: unknown): Generator<Cid, void, undefined> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  const link = linkedCid(value)
  if (link !== null) yield link
  else for (const part of Object.values(value)) yield* linksOfValue(part)
}
