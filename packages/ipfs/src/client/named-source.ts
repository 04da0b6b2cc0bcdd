import type { BlockSource } from '@openregistry/core'

/** Somebody who may have blocks, and knows what names of IPNS lead to. */
export interface NamedSource extends BlockSource {
  /** The record of a name, or null; whoever asks checks it. */
  record(name: string, signal?: AbortSignal): Promise<Uint8Array | null>
}
