import { createHash } from 'node:crypto'
import {
  dagPbCid,
  rawCid,
  unixfsLeafSize,
  unixfsLevels,
  unixfsNode,
  unixfsTree,
  type Cid,
} from '@openregistry/dag'
import { sha256 } from '../sha256.ts'

/** A block. */
export interface Block {
  cid: Cid
  bytes: Uint8Array
}

/**
 * The blocks of content as UnixFS has them: leaves as they come, then the nodes above them, the root last. Memory is one leaf
 * and the hashes of all.
 * @param size in bytes; other content than was announced ends early.
 */
export async function* contentBlocks(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Block, void, undefined> {
  const hashes: Uint8Array[] = []
  const whole = createHash('sha256')
  for await (const bytes of pieces(chunks, size)) {
    const hash = sha256(bytes)
    hashes.push(hash)
    whole.update(bytes)
    yield { cid: rawCid(hash), bytes }
  }
  if (unixfsLevels(size).length === 1) return
  const content = { size, leaves: new Uint8Array(Buffer.concat(hashes)) }
  const { nodes } = unixfsTree({ ...content, sha256: whole.digest() }, sha256)
  for (const [index, level] of nodes.entries()) {
    for (let at = 0; at * 32 < level.length; at++) {
      const bytes = unixfsNode({ ...content, nodes }, index + 1, at, sha256)
      yield { cid: dagPbCid(level.subarray(at * 32, (at + 1) * 32)), bytes }
    }
  }
}

/** Leaves of their full size, but for the last. Content of no bytes is one empty leaf. */
async function* pieces(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const leaf = new Uint8Array(Math.min(unixfsLeafSize, size))
  let filled = 0
  let total = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + leaf.length - filled)
      leaf.set(part, filled)
      filled += part.length
      at += part.length
      total += part.length
      if (filled < leaf.length) continue
      yield leaf
      filled = 0
    }
  }
  if (filled > 0 || total === 0) yield leaf.subarray(0, filled)
}
