import { sha256Code } from '@openregistry/dag'
import type { BlockView } from '../../block-view.ts'
import type { Response } from './response.ts'
import type { WantQueue } from './want-queue.ts'
import type { Want } from './wantlist.ts'

/** Blocks with so many bytes, or so many answers, make a message. */
const enough = { bytes: 2 ** 20, answers: 256 }

/** Bytes of the largest message that comes of this: almost enough, and then one block of 2 MiB. */
export const maxResponseSize = 3 * 2 ** 20 + 64 * 2 ** 10

/**
 * Answers the oldest wants, as many as make one message. Whether everybody may see a block is asked here, for each of them, and
 * the message leaves at once. What is not there and what is not for everybody are the same answer.
 * @param failed hears of blocks that could not be read; for the peer they are not there.
 */
export async function answerWants(
  wants: WantQueue,
  view: BlockView,
  failed: (error: unknown) => void,
): Promise<Response> {
  const blocks: { want: Want; bytes: Uint8Array }[] = []
  const presences: { want: Want; has: boolean }[] = []
  let size = 0
  while (size < enough.bytes && blocks.length + presences.length < enough.answers) {
    const want = wants.take()
    if (want === null) break
    const found = await find(want, view).catch((error: unknown) => {
      failed(error)
      return null
    })
    if (found instanceof Uint8Array) {
      blocks.push({ want, bytes: found })
      size += found.length
    } else if (found !== null) presences.push({ want, has: true })
    else if (want.sendDontHave) presences.push({ want, has: false })
  }
  return { blocks, presences }
}

/** The block, or its size where that is all that was asked. */
async function find({ parts, type }: Want, view: BlockView): Promise<Uint8Array | number | null> {
  const { hash, digest } = parts
  if (hash !== sha256Code || digest.length !== 32) return null
  return type === 'block' ? view.block(digest) : view.blockSize(digest)
}
