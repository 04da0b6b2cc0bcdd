import { hashSize, unixfsLeafSize } from '@openregistry/dag'
import { abortable } from '../abortable.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** SHA-256 of a piece of at most 1 MiB, off the event loop; its memory may be used again once the promise has resolved. */
export type HashLeaf = (piece: Uint8Array) => Promise<Uint8Array>

/** The same with what Node brings along. */
export const webHashLeaf: HashLeaf = async (piece) =>
  // A copy: Web Cryptography takes no memory that threads share.
  new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(piece)))

/** All of some content, ready to be read again. Whoever got it closes it. */
export class Spooled implements AsyncDisposable {
  /** In bytes. */
  readonly size: number
  /** SHA-256 of each leaf of 1 MiB, packed, 32 bytes each. */
  readonly leaves: Uint8Array
  readonly #only: Uint8Array | null
  readonly #file: SpoolFile | null

  constructor(content: {
    size: number
    leaves: Uint8Array
    only: Uint8Array | null
    file: SpoolFile | null
  }) {
    this.size = content.size
    this.leaves = content.leaves
    this.#only = content.only
    this.#file = content.file
  }

  /** Fills `target` with the bytes from `offset` on. @throws RegistryError storage faults. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    if (this.#only !== null) target.set(this.#only.subarray(offset, offset + target.length))
    else await this.#file?.read(target, offset)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]()
  }
}

/**
 * Takes a stream in at the speed of its sender: to the disk, but for content of one leaf, which stays in memory, and
 * through the hash function in the same pass. Memory is two leaves.
 * @throws RegistryError storage faults; the reason of the signal; whatever `source` throws. Nothing is left then.
 */
export async function spooled(
  source: AsyncIterable<Uint8Array>,
  { spool, hashLeaf, signal }: { spool: Spool; hashLeaf: HashLeaf; signal?: AbortSignal | undefined },
): Promise<Spooled> {
  await using stack = new AsyncDisposableStack()
  const hashes: Uint8Array[] = []
  let file: SpoolFile | null = null
  let size = 0
  let only: Uint8Array | null = null
  const keep = async (leaf: Uint8Array): Promise<void> => {
    // The first leaf waits in its buffer until there is a second one.
    const written = size === 0 ? (only = leaf) : file?.append(leaf)
    size += leaf.length
    const [hash] = await Promise.all([hashLeaf(leaf), written])
    hashes.push(hash)
  }
  let kept: Promise<void> = Promise.resolve()
  for await (const leaf of leavesOf(abortable(source, signal))) {
    await kept
    if (only !== null) {
      file = stack.use(await spool.create())
      await file.append(only)
      only = null
    }
    kept = keep(leaf)
    // Seen by whoever awaits it; a source that fails first is the better error.
    kept.catch(() => undefined)
  }
  await kept
  stack.move()
  return new Spooled({ size, leaves: packed(hashes), only, file })
}

/** Pieces of one leaf each, the last one excepted; each is valid until the next but one is asked for. */
async function* leavesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers: [Uint8Array | null, Uint8Array | null] = [null, null]
  let turn: 0 | 1 = 0
  let used = 0
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const buffer = (buffers[turn] ??= new Uint8Array(unixfsLeafSize))
      const taken = Math.min(chunk.length - at, unixfsLeafSize - used)
      buffer.set(chunk.subarray(at, at + taken), used)
      used += taken
      at += taken
      if (used < unixfsLeafSize) continue
      yield buffer
      used = 0
      turn = turn === 0 ? 1 : 0
    }
  }
  if (used > 0) yield (buffers[turn] ?? new Uint8Array()).subarray(0, used)
}

function packed(hashes: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(hashes.length * hashSize)
  hashes.forEach((hash, index) => all.set(hash, index * hashSize))
  return all
}
