import { cidParts, identityCode, maxBlockSize, sameBytes, sha256Code, type Cid } from '@openregistry/dag'
import { sha256 } from '../sha256.ts'

/** Somebody who may have blocks, and is not trusted. */
export interface BlockProvider {
  /** How it is named to people. */
  readonly name: string
  /**
   * The bytes of a block, or null when it is not there. Answers in a bounded time with at most {@link maxBlockSize} bytes.
   * @throws whatever kept it from answering.
   */
  block(cid: Cid, signal?: AbortSignal): Promise<Uint8Array | null>
}

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
 * A block from the first provider that has it right: whatever comes is compared with its hash.
 * @throws BlockMissing; the reason of the signal.
 */
export async function findBlockOf(
  providers: readonly BlockProvider[],
  cid: Cid,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { hash, digest } = cidParts(cid)
  if (hash === identityCode) return digest
  if (hash !== sha256Code) throw new BlockMissing(cid, ['its hash is not SHA-256'])
  const reasons: string[] = []
  for (const provider of providers) {
    signal?.throwIfAborted()
    try {
      const bytes = await provider.block(cid, signal)
      if (bytes !== null && sameBytes(sha256(bytes), digest)) return bytes
      reasons.push(`${provider.name} ${bytes === null ? 'does not have it' : 'gave other bytes'}`)
    } catch (error) {
      signal?.throwIfAborted()
      reasons.push(`${provider.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (providers.length === 0) reasons.push('there is nobody to ask; name somebody with --from')
  throw new BlockMissing(cid, reasons)
}

/** The body of an answer, if it is not larger than a block. */
export async function readBlockBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBlockSize) throw new Error(`it gives more than the ${maxBlockSize} bytes of a block`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
