import type { BlobStore } from './blob-store.ts'

/** Blocks of an image layout that no object of a backend has: its directories, its small files, and what is in the database. */
export interface LayoutBlocks {
  /** SHA-256 of the root directory. */
  root: Uint8Array
  /** Every block once, the root among them: its SHA-256, and its size in bytes, 2 MiB at most. */
  shapes: readonly { sha256: Uint8Array; size: number }[]
  /**
   * The blocks in the same order. Each is valid until the next one is asked for. Can be asked for again.
   * @throws RegistryError when one is not there any more.
   */
  read(): AsyncIterable<Uint8Array>
}

/**
 * Ability of a backend that is on IPFS itself to hold blocks of image layouts, so that an image whose large blobs it has can
 * be fetched from it whole, under the CID of its layout, when this registry is not there.
 *
 * All throw RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`.
 */
export interface PinsLayouts {
  /** Holds the blocks until {@link unpinLayout}, as durably as objects. Done again it changes nothing. */
  pinLayout(layout: LayoutBlocks): Promise<void>
  /** Holds them no longer; a missing layout is fine. */
  unpinLayout(root: Uint8Array): Promise<void>
  /** Whether they are there. */
  hasLayout(root: Uint8Array): Promise<boolean>
}

/** Whether a store has the ability {@link PinsLayouts}. */
export function pinsLayouts<T extends BlobStore>(store: T): store is T & PinsLayouts {
  return 'pinLayout' in store
}
