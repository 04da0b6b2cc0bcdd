import type { Cid } from '@openregistry/dag'

/**
 * Somebody who may have blocks of IPFS, and is not trusted: whoever asks compares what comes with its hash. Faults are
 * errors of any kind; a block that is not there is null.
 */
export interface BlockSource {
  /** How it is named to people. */
  readonly name: string
  /**
   * The bytes of a block. Answers in a bounded time, and reads no more than it has to.
   * @param size bytes that the block has, or has at most; more are no answer.
   */
  block(cid: Cid, size: number, signal?: AbortSignal): Promise<Uint8Array | null>
}
