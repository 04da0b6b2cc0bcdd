import type { BlobStore, Lists, MetadataStore } from '@openregistry/core'

/** Everything that the engine's tables hold, for comparing. */
export interface TableContents {
  /** Names of repositories that are not deleted, with the digests of their links and manifests. */
  links: { repository: string; digest: string }[]
  manifests: { repository: string; digest: string }[]
  /** sha256 of every blob. */
  blobs: string[]
  /** Keys of all objects that locations name. */
  locations: string[]
  /** Keys of all objects that are to be deleted. */
  pending: string[]
  /** Rows in queues, and rows of deleted repositories, that should be gone when there is nothing to do. */
  leftovers: number
}

/** A registry's stores with a clock that the test moves. */
export interface ClockedRegistry {
  metadata: MetadataStore
  blobs: BlobStore & Lists
  /** The database's clock, in milliseconds. */
  now(): number
  advance(milliseconds: number): void
  tables(): TableContents
  close(): void
}
