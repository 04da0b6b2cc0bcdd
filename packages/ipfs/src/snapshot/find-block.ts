import { cidParts, identityCode, maxBlockSize, sameBytes, sha256Code, type Cid } from '@openregistry/dag'
import type { BlockSource } from '@openregistry/core'
import { sha256 } from '../sha256.ts'

/** Nobody gave a block as it should be; the message has the reasons. */
export class BlockMissing extends Error {
  readonly cid: Cid

  constructor(cid: Cid, reasons: readonly string[]) {
    super(`Nobody gives the block ${cid}: ${reasons.join('; ')}.`)
    this.name = 'BlockMissing'
    this.cid = cid
  }
}

/**
 * A block from the first source that has it right: whatever comes is compared with its hash.
 * @throws BlockMissing; the reason of the signal.
 */
export async function findBlockOf(
  sources: readonly BlockSource[],
  cid: Cid,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { hash, digest } = cidParts(cid)
  if (hash === identityCode) return digest
  if (hash !== sha256Code) throw new BlockMissing(cid, ['its hash is not SHA-256'])
  const reasons: string[] = []
  for (const source of sources) {
    signal?.throwIfAborted()
    try {
      const bytes = await source.block(cid, maxBlockSize, signal)
      if (bytes !== null && sameBytes(sha256(bytes), digest)) return bytes
      reasons.push(`${source.name} ${bytes === null ? 'does not have it' : 'gave other bytes'}`)
    } catch (error) {
      signal?.throwIfAborted()
      reasons.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (sources.length === 0) reasons.push('there is nobody to ask; name somebody with --from')
  throw new BlockMissing(cid, reasons)
}
