import type { ByteRange, ObjectReader } from '@openregistry/core'

/** A stored blob as the UnixFS file (profile unixfs-v1-2025) that it is. */
export interface FileView {
  /** In bytes. */
  readonly size: number
  /** SHA-256 of each leaf, packed, 32 bytes each; empty for empty content. */
  readonly leaves: Uint8Array
  /** SHA-256 of the nodes of each level above the leaves, level 1 first, packed. None up to 1 MiB: the blob is its only block. */
  readonly nodes: readonly Uint8Array[]
  /** Reads the blob from where it lies; whoever opens it closes it. Bytes of remote backends were verified before they come. */
  open(range?: ByteRange): Promise<ObjectReader>
}

/** A block in memory that was lent for it. */
export interface LentBlock {
  /** Verified. */
  readonly bytes: Uint8Array
  /**
   * Gives the memory back, once: somebody else's block is in it next. What is not given back, as somebody may still look at
   * it, is left to the garbage collector. Null: nobody else gets this memory.
   */
  readonly release: (() => void) | null
}

/**
 * Stored content as IPFS blocks, as far as anybody may see it: the one rule that every IPFS surface asks. Something that is not
 * here and something that is not for everybody are the same null.
 */
export interface BlockView {
  /** The bytes of a block by the SHA-256 in its multihash, whatever the codec; verified; at most 2 MiB. */
  block(sha256: Uint8Array, options?: { signal?: AbortSignal }): Promise<Uint8Array | null>
  /** The same without memory of its own for each. */
  lend(sha256: Uint8Array, options?: { signal?: AbortSignal }): Promise<LentBlock | null>
  /** The size of a block in bytes, without reading it. */
  blockSize(sha256: Uint8Array): Promise<number | null>
  /** The file whose root (or only leaf) has this hash: all of its blocks can be written in one pass over the blob. */
  file(root: Uint8Array): Promise<FileView | null>
  /** A whole blob by the SHA-256 of its content, of any size (RASL). */
  blob(sha256: Uint8Array): Promise<FileView | null>
}
