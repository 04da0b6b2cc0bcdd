import type { CidParts } from './cid-parts.ts'
import { maxDepth, nameHash, prefixLength, slotOf, slotPrefix } from './hamt.ts'
import { NodeError } from './node-error.ts'
import type { UnixfsNode } from './unixfs-data.ts'

/** Where one segment of a path leads from a node. */
export type Resolved =
  /** To the entry of that name. */
  | { kind: 'entry'; cid: CidParts; size: number }
  /** To another shard of the same directory, where the name has to be looked for with the next depth. */
  | { kind: 'shard'; cid: CidParts }

/**
 * Follows one segment of a path by one block.
 * @param depth of a shard below the first one of its directory; 0 for everything else.
 * @returns null when there is no such entry, or the node is no directory.
 * @throws NodeError for shards that are nested deeper than the hash of a name reaches.
 */
export function resolveSegment(node: UnixfsNode, name: string, depth = 0): Resolved | null {
  if (node.kind === 'shard') return resolveInShard(node, name, depth)
  if (node.kind !== 'directory') return null
  for (const link of node.links) {
    if (link.name === name) return { kind: 'entry', cid: link.cid, size: link.size }
  }
  return null
}

function resolveInShard(
  { links, fanout }: UnixfsNode & { kind: 'shard' },
  name: string,
  depth: number,
): Resolved | null {
  if (depth >= maxDepth(fanout)) throw new NodeError('The shards of a directory are nested too deeply.')
  const prefix = slotPrefix(slotOf(nameHash(name), depth, fanout), fanout)
  for (const link of links) {
    if (link.name === prefix + name) return { kind: 'entry', cid: link.cid, size: link.size }
    if (link.name === prefix) return { kind: 'shard', cid: link.cid }
  }
  return null
}

/** Whether a link of a shard leads to another shard of the same directory, and not to an entry. */
export function leadsToShard({ fanout }: { fanout: number }, linkName: string): boolean {
  return linkName.length === prefixLength(fanout)
}
