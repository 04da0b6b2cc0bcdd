import type { ByteRange } from '@openregistry/core'
import {
  carHeader,
  dagPbCodec,
  decodeUnixfs,
  formatCid,
  identityCode,
  NodeError,
  rawCodec,
  type CidParts,
} from '@openregistry/dag'
import type { BlockView } from '../block-view.ts'
import { blockFrame } from './block-frame.ts'
import { rangeWithin, type CarParameters } from './car-parameters.ts'
import { findBlock, findBlockSize, known } from './read-block.ts'
import type { ResolvedPath } from './resolve-path.ts'
import { requireReadable, walk } from './walk.ts'

/** What a CAR is made of. */
export interface CarContent {
  view: BlockView
  root: CidParts
  path: ResolvedPath
  car: CarParameters
  signal?: AbortSignal | undefined
}

/**
 * The bytes of a CAR: the blocks that show the path, then those from its end on. Chunks are valid until the next one is asked
 * for. Whatever can be known to be wrong before anything is sent is thrown before the first chunk; a block that is missing later
 * is thrown in the middle, and the answer has to be cut off then.
 * @throws RegistryError as {@link walk}, and `PARAMETER_INVALID` for a range outside of the file.
 */
export async function* carStream(content: CarContent): AsyncGenerator<Uint8Array, void, undefined> {
  const { view, root, path, car, signal } = content
  const range = await rangeOfCar(content)
  const blocks = walk(
    { view, signal, scope: car.scope, duplicates: car.duplicates },
    { cid: path.end, range },
  )
  try {
    // Once the walk has its first block, that is known to be here.
    const next = await blocks.next()
    const first = next.done === true ? null : Uint8Array.from(next.value)
    yield carHeader([formatCid(root)])
    for (const cid of path.passed) {
      if (cid.hash !== identityCode) yield* blockFrame(cid, known(await findBlock(view, cid, signal)))
    }
    if (first === null) return
    yield first
    yield* blocks
  } finally {
    await blocks.return()
  }
}

/**
 * Checks what a CAR is to hold.
 * @returns the part that is asked for of the file at the end of the path, in bytes; null when all is, or the end is no file.
 * @throws RegistryError `CID_INVALID` when its links cannot be read, `PARAMETER_INVALID` for a range outside of the file.
 */
export async function rangeOfCar({
  view,
  path: { end },
  car,
  signal,
}: CarContent): Promise<ByteRange | null> {
  requireReadable(car.scope, end)
  if (car.bytes === null) return null
  const size = await fileSize(view, end, signal)
  return size === null ? null : rangeWithin(size, car.bytes)
}

async function fileSize(view: BlockView, cid: CidParts, signal?: AbortSignal): Promise<number | null> {
  if (cid.codec === rawCodec) return known(await findBlockSize(view, cid))
  if (cid.codec !== dagPbCodec) return null
  const file = cid.hash === identityCode ? null : await view.file(cid.digest)
  if (file !== null) return file.size
  try {
    const node = decodeUnixfs(known(await findBlock(view, cid, signal)))
    return node.kind === 'file' ? node.size : null
  } catch (error) {
    // The walk will say so.
    if (error instanceof NodeError) return null
    throw error
  }
}
