import { rawCid, unixfsLeafSize } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { BlockSource } from '../../ports/block-source.ts'
import type { ContentHasher } from '../../ports/content-hasher.ts'

/** Leaves that are asked for ahead: together with the one that is given on, 4 MiB. */
const ahead = 3

/** Bytes of a SHA-256. */
const width = 32

/** Content by its leaves. */
export interface LeafContent {
  size: number
  /** SHA-256 of each leaf, packed, 32 bytes each. */
  leaves: Uint8Array
}

/** What {@link contentFromBlocks} works with. */
export interface BlockOptions {
  sources: readonly BlockSource[]
  hasher: ContentHasher
  signal?: AbortSignal | undefined
  /** Told which source gave a block. */
  gave?: (source: BlockSource) => void
}

/**
 * Content put together from blocks that somebody else has: each is compared with its hash before it is given on, and comes
 * from the first source that has it right.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when no source has a block, with the reasons; the reason of the signal.
 */
export async function* contentFromBlocks(
  { size, leaves }: LeafContent,
  options: BlockOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const count = leaves.length / width
  using stopping = abortWith(options.signal)
  const ask = (index: number): Promise<Uint8Array> => {
    const sha256 = leaves.subarray(index * width, (index + 1) * width)
    const length = Math.min(unixfsLeafSize, size - index * unixfsLeafSize)
    const block = findBlock(sha256, length, { ...options, signal: stopping.signal })
    // Whoever waits for it hears of it; the others of the queue must not end the process.
    block.catch(() => undefined)
    return block
  }
  const queue: Promise<Uint8Array>[] = []
  let asked = 0
  for (let index = 0; index < count; index++) {
    for (; asked < count && asked <= index + ahead; asked++) queue.push(ask(asked))
    yield (await queue.shift()) as Uint8Array
  }
}

/** A signal that aborts with another one, and in any case when nobody needs it any more. */
function abortWith(outer: AbortSignal | undefined): { signal: AbortSignal } & Disposable {
  const own = new AbortController()
  const signal = outer === undefined ? own.signal : AbortSignal.any([outer, own.signal])
  return { signal, [Symbol.dispose]: () => own.abort() }
}

async function findBlock(
  sha256: Uint8Array,
  length: number,
  { sources, hasher, signal, gave }: BlockOptions,
): Promise<Uint8Array> {
  const cid = rawCid(sha256)
  const reasons: string[] = []
  for (const source of sources) {
    signal?.throwIfAborted()
    try {
      const bytes = await source.block(cid, length, signal)
      if (bytes !== null && isBlock(hasher, bytes, sha256, length)) {
        gave?.(source)
        return bytes
      }
      reasons.push(`${source.name} ${bytes === null ? 'does not have it' : 'gave other bytes'}`)
    } catch (error) {
      signal?.throwIfAborted()
      reasons.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new RegistryError('STORAGE_UNAVAILABLE', `Nobody gives the block ${cid}: ${reasons.join('; ')}.`)
}

function isBlock(hasher: ContentHasher, bytes: Uint8Array, sha256: Uint8Array, length: number): boolean {
  if (bytes.length !== length) return false
  const actual = hasher.hashInline(bytes, { sha512: false }).sha256
  return actual.every((byte, index) => byte === sha256[index])
}
