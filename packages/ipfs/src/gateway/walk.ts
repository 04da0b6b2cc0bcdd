import { dagPbCodec, identityCode, NodeError, unixfsLeafSize, type CidParts } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { BlockView, FileView } from '../block-view.ts'
import { blockFrame } from './block-frame.ts'
import type { DagScope } from './car-parameters.ts'
import { fileFrames } from './file-frames.ts'
import { followLinks, type Visit } from './follow-links.ts'
import { linksOf } from './known-codec.ts'
import { findBlock, known } from './read-block.ts'
import { SeenBlocks, seenLimit, tooManyBlocks } from './seen-blocks.ts'

/** What a walk goes through. */
export interface Walk {
  view: BlockView
  scope: DagScope
  /** Whether a block that occurs again is sent again. */
  duplicates: boolean
  signal?: AbortSignal | undefined
}

/** How far nodes may be open inside each other: bytes of all of them together, and how many. */
const openLimit = { bytes: 8 * 1024 * 1024, nodes: 1000 }

/** A node whose links are being followed. */
interface OpenNode {
  links: Iterator<Visit>
  size: number
}

/**
 * Blocks from one on, as they stand in a CAR, in the order of a depth-first walk. Chunks are valid until the next one is asked
 * for. Memory is the nodes that are open inside each other, and a few bytes for each block if none is to be sent twice.
 * @throws RegistryError `CONTENT_UNKNOWN` when a block is not there, `CID_INVALID` when the links of one cannot be read,
 * both at any moment.
 */
export async function* walk(context: Walk, start: Visit): AsyncGenerator<Uint8Array, void, undefined> {
  const seen = context.duplicates ? null : new SeenBlocks()
  const isSeen = (codec: number, sha256: Uint8Array): boolean => seen?.has(codec, sha256) === true
  const wanted = (codec: number, sha256: Uint8Array): boolean => seen?.add(codec, sha256) !== false
  const open: OpenNode[] = []
  for (let visit: Visit | null = start; visit !== null; visit = nextVisit(open)) {
    context.signal?.throwIfAborted()
    const { cid, range } = visit
    // What is below a block that was sent was sent with it, unless only a part of a file is wanted.
    if (range === null && cid.hash !== identityCode && isSeen(cid.codec, cid.digest)) continue
    requireReadable(context.scope, cid)
    const file = await findFile(context, cid)
    if (file !== null) {
      if (seen !== null && range === null && file.size / unixfsLeafSize > seenLimit) throw tooManyBlocks()
      const all = { offset: 0, length: context.scope === 'block' ? 0 : file.size }
      yield* fileFrames(file, { range: range ?? all, wanted })
      continue
    }
    const bytes = known(await findBlock(context.view, cid, context.signal))
    if (cid.hash !== identityCode && wanted(cid.codec, cid.digest)) yield* blockFrame(cid, bytes)
    if (cid.codec === dagPbCodec) enter(open, followed(context.scope, bytes, visit), bytes.length)
  }
}

/** The links of a block can be followed, or need not be. */
export function requireReadable(scope: DagScope, { codec }: CidParts): void {
  if (scope !== 'all' || linksOf(codec) !== 'unreadable') return
  throw new RegistryError(
    'CID_INVALID',
    `Links in blocks of codec 0x${codec.toString(16)} are not read here; ask for them with dag-scope=block.`,
  )
}

async function findFile({ view }: Walk, { codec, hash, digest }: CidParts): Promise<FileView | null> {
  return codec === dagPbCodec && hash !== identityCode ? view.file(digest) : null
}

function followed(scope: DagScope, bytes: Uint8Array, { range }: Visit): Iterator<Visit> {
  try {
    return followLinks(scope, bytes, range)
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause
    throw new RegistryError('CID_INVALID', `A block is not what its CID says: ${cause.message}`, { cause })
  }
}

function enter(open: OpenNode[], links: Iterator<Visit>, size: number): void {
  open.push({ links, size })
  const bytes = open.reduce((sum, node) => sum + node.size, 0)
  if (bytes > openLimit.bytes || open.length > openLimit.nodes) {
    throw new RegistryError('CONTENT_UNKNOWN', 'The blocks are nested too deeply.')
  }
}

function nextVisit(open: OpenNode[]): Visit | null {
  for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
    const next = node.links.next()
    if (next.done !== true) return next.value
    open.pop()
  }
  return null
}
