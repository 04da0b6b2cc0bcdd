import type { ByteRange } from '@openregistry/core'
import { decodeDagPb, decodeUnixfs, leadsToShard, type CidParts, type UnixfsNode } from '@openregistry/dag'
import type { DagScope } from './car-parameters.ts'

/** A block that a walk comes to. */
export interface Visit {
  readonly cid: CidParts
  /** The bytes that are wanted of the file that it leads to; null: all of them. */
  readonly range: ByteRange | null
}

/**
 * Where a walk goes on from a dag-pb node, in the order of its links.
 * @throws NodeError when the node is none.
 */
export function followLinks(scope: DagScope, bytes: Uint8Array, range: ByteRange | null): Iterator<Visit> {
  if (scope === 'block') return Iterator.from<Visit>([])
  if (scope === 'entity') return entityLinks(decodeUnixfs(bytes), range)
  return Iterator.from(decodeDagPb(bytes).links).map(({ cid }) => ({ cid, range: null }))
}

/**
 * What belongs to the same file or directory: all or some parts of a file, and the shards of a directory, not its entries.
 */
function* entityLinks(node: UnixfsNode, range: ByteRange | null): Generator<Visit, void, undefined> {
  if (node.kind === 'shard') {
    for (const { cid, name } of node.links) if (leadsToShard(node, name)) yield { cid, range: null }
  } else if (node.kind === 'file') {
    yield* partsOfFile(node, range)
  }
}

function* partsOfFile(
  { links, blockSizes, data, size }: UnixfsNode & { kind: 'file' },
  range: ByteRange | null,
): Generator<Visit, void, undefined> {
  const { offset, length } = range ?? { offset: 0, length: size }
  let start = data.length
  let index = 0
  for (const { cid } of links) {
    const blockSize = blockSizes[index++]!
    const from = Math.max(offset, start)
    const to = Math.min(offset + length, start + blockSize)
    if (range === null) yield { cid, range: null }
    else if (from < to) yield { cid, range: { offset: from - start, length: to - from } }
    start += blockSize
  }
}
