import type { Cid } from '../cid.ts'
import { NodeError } from '../node-error.ts'
import { decodeTreeNode, type TreeNode } from './tree-node.ts'

/** Levels that are followed: a tree of a million million rows has six. */
const depthLimit = 16

/** Fetches a node, compared with its CID. */
export type GetNode = (cid: Cid) => Promise<Uint8Array>

/** A row of a tree. */
export interface TreeRow {
  key: string
  value: unknown
}

/**
 * The rows of a tree in the order of their keys; memory is one node for each level.
 * @param from rows with smaller keys are passed over, and nodes that hold no others not fetched.
 * @throws NodeError when it is no tree, and whatever fetching throws.
 */
export async function* readSortedTree(
  root: Cid,
  get: GetNode,
  from = '',
): AsyncGenerator<TreeRow, void, undefined> {
  let before: string | null = null
  for await (const row of rowsBelow(root, get, { from, depth: 0, first: null })) {
    if (before !== null && row.key <= before) throw new NodeError('The rows of a tree are not in order.')
    before = row.key
    if (row.key >= from) yield row
  }
}

interface Position {
  from: string
  depth: number
  /** The key that the node has to begin with; null: any. */
  first: string | null
}

async function* rowsBelow(
  cid: Cid,
  get: GetNode,
  { from, depth, first }: Position,
): AsyncGenerator<TreeRow, void, undefined> {
  if (depth > depthLimit) throw new NodeError('The tree is deeper than any that is written.')
  const node: TreeNode = decodeTreeNode(await get(cid))
  if (first !== null && node.entries[0]?.[0] !== first) {
    throw new NodeError('A node of the tree does not begin where the one above says.')
  }
  if (node.kind === 'leaf') {
    for (const [key, value] of node.entries) yield { key, value }
    return
  }
  for (const [index, [key, below]] of node.entries.entries()) {
    const next = node.entries[index + 1]?.[0]
    if (next !== undefined && next <= from) continue
    yield* rowsBelow(below, get, { from, depth: depth + 1, first: key })
  }
}
