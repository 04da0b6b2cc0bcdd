import type { Digest, RepositoryName, Tag } from '@openregistry/oci'

/** Something that could not be brought back. */
export interface NotRestored {
  repository: RepositoryName
  /** Of the blob or manifest, or what a tag would point to; null: the repository itself. */
  digest: Digest | null
  tag: Tag | null
  why: string
}

/** What came of rebuilding a registry. */
export interface RestoreReport {
  repositories: number
  tags: number
  manifests: number
  blobs: number
  /** Bytes of blobs that were fetched; what was there already costs nothing. */
  fetched: number
  /** Blobs that were there: from before an interruption, or of another repository. */
  there: number
  /** How much is missing altogether. */
  missing: number
  /** The first of it. */
  notRestored: NotRestored[]
}

/** Entries of the report that are kept. */
const listed = 1000

/** A report that is being written. */
export class RestoreTally implements RestoreReport {
  repositories = 0
  tags = 0
  manifests = 0
  blobs = 0
  fetched = 0
  there = 0
  missing = 0
  readonly notRestored: NotRestored[] = []

  miss(what: NotRestored): void {
    this.missing++
    if (this.notRestored.length < listed) this.notRestored.push(what)
  }
}
