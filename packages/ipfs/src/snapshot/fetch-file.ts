import {
  cidParts,
  decodeUnixfs,
  dagPbCodec,
  formatCid,
  rawCodec,
  NodeError,
  type Cid,
} from '@openregistry/dag'
import { SnapshotError } from './snapshot-error.ts'

/** Blocks that are asked for ahead; with the one that is given on, 4 MiB at most. */
const ahead = 3

/** Levels that are followed: files of 2^60 bytes have six. */
const depthLimit = 10

/** Fetches a block, compared with its CID. */
export type FetchBlock = (cid: Cid, signal: AbortSignal) => Promise<Uint8Array>

/**
 * The bytes of a file by its CID, whoever built its tree; some blocks are asked for ahead. What comes was compared block by
 * block.
 * @throws SnapshotError when a block is no part of a file, and what fetching throws.
 */
export async function* fetchFile(
  cid: Cid,
  fetchBlock: FetchBlock,
  outer?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const own = new AbortController()
  const signal = outer === undefined ? own.signal : AbortSignal.any([outer, own.signal])
  const begin = (one: Cid): Promise<Uint8Array> => {
    const block = fetchBlock(one, signal)
    // Whoever waits for it hears of it; those that were asked for in vain must not end the process.
    block.catch(() => undefined)
    return block
  }
  try {
    yield* below(cid, begin(cid), begin, 0)
  } finally {
    own.abort()
  }
}

async function* below(
  cid: Cid,
  block: Promise<Uint8Array>,
  begin: (cid: Cid) => Promise<Uint8Array>,
  depth: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = await block
  const { codec } = cidParts(cid)
  if (codec === rawCodec) {
    yield bytes
    return
  }
  if (codec !== dagPbCodec || depth > depthLimit) throw noFile(cid)
  const { links, data } = fileNode(cid, bytes)
  if (data.length > 0) yield data
  const queue: { cid: Cid; block: Promise<Uint8Array> }[] = []
  for (const [index] of links.entries()) {
    for (let next = index + queue.length; next < links.length && queue.length <= ahead; next++) {
      queue.push({ cid: links[next]!, block: begin(links[next]!) })
    }
    const first = queue.shift()!
    yield* below(first.cid, first.block, begin, depth + 1)
  }
}

function fileNode(cid: Cid, bytes: Uint8Array): { links: Cid[]; data: Uint8Array } {
  try {
    const node = decodeUnixfs(bytes)
    if (node.kind === 'file') {
      return { links: [...node.links].map((link) => formatCid(link.cid)), data: node.data }
    }
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause
  }
  throw noFile(cid)
}

function noFile(cid: Cid): SnapshotError {
  return new SnapshotError(`The block ${cid} is no part of a file.`)
}
