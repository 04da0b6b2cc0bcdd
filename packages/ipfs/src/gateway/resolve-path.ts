import { dagPbCodec, decodeUnixfs, NodeError, resolveSegment, type CidParts } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { BlockView } from '../block-view.ts'
import { findBlock, known } from './read-block.ts'

/** Where a path leads. */
export interface ResolvedPath {
  readonly end: CidParts
  /** The blocks that show it: from the root to the one that links to the end, shards included. */
  readonly passed: readonly CidParts[]
}

/**
 * Follows names through directories.
 * @throws RegistryError `CONTENT_UNKNOWN` when a block or a name is not there, or something on the way is no directory.
 */
export async function resolvePath(
  view: BlockView,
  root: CidParts,
  segments: readonly string[],
  signal?: AbortSignal,
): Promise<ResolvedPath> {
  const passed: CidParts[] = []
  let end = root
  for (const name of segments) {
    for (let depth = 0; ; depth++) {
      const found = await follow(view, end, name, depth, signal)
      passed.push(end)
      end = found.cid
      if (found.kind === 'entry') break
    }
  }
  return { end, passed }
}

async function follow(
  view: BlockView,
  cid: CidParts,
  name: string,
  depth: number,
  signal?: AbortSignal,
): Promise<NonNullable<ReturnType<typeof resolveSegment>>> {
  const bytes = known(cid.codec === dagPbCodec ? await findBlock(view, cid, signal) : null)
  try {
    return known(resolveSegment(decodeUnixfs(bytes), name, depth))
  } catch (cause) {
    if (cause instanceof NodeError) throw new RegistryError('CONTENT_UNKNOWN', undefined, { cause })
    throw cause
  }
}
