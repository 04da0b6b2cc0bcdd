import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import type { Milliseconds, Page, PageRequest, RepositoryFacts } from './metadata-store.ts'
import type { PlacementRules } from './placement.ts'

/** What became of a manifest: it is here, it is deleted and can be restored, or nothing of it is left. */
export type ManifestState = 'live' | 'deleted' | 'gone'

/** One change of a tag. */
export interface TagChange {
  /** Of two changes of a repository the newer one has the greater id. */
  id: number
  tag: Tag
  /** What the tag pointed to before; null when it was not there. */
  from: Digest | null
  /** What it pointed to afterwards; null when it was deleted. */
  to: Digest | null
  /** `principalName` of whoever did it. */
  changedBy: string
  changedAt: Milliseconds
  /** Of the manifest that the change is about: `to`, or `from` where the tag was deleted. */
  manifest: ManifestState
  /** When that manifest was deleted, if it is. */
  deletedAt: Milliseconds | null
}

/** What `restoreManifest` needs. */
export interface RestoreManifest {
  repository: RepositoryName
  digest: Digest
  /** The tag that is to point to it. Null: the tags that were deleted together with it, unless they are taken. */
  tag: Tag | null
  principal: string
  rules: PlacementRules
}

/** What `restoreManifest` did. */
export interface RestoredManifest {
  /** Manifests that were deleted and are here again: this one, and what it names if it is an index. */
  manifests: Digest[]
  /** Tags that point to it by this step. */
  tags: Tag[]
  /** Manifests that an index names and that are not here: never were, are gone, or miss blobs. */
  missing: Digest[]
}

/** What was, and getting it back. A group of `MetadataStore`. */
export interface HistoryStore {
  /**
   * Changes of one tag, or of all tags of a repository (`tag` null), newest first; a page begins below the id `after`.
   * `present` says whether the tag is there now. Null when the repository is not there.
   */
  listTagHistory(
    name: RepositoryName,
    tag: Tag | null,
    page: PageRequest<number>,
  ): Promise<{ repository: RepositoryFacts; present: boolean; page: Page<TagChange> } | null>

  /** Id of the newest change of a tag that was made up to this moment, found by one probe of an index. Null if none was. */
  findTagChangeAt(name: RepositoryName, tag: Tag, at: Milliseconds): Promise<number | null>

  /** When a manifest of this repository was deleted. Null when it is not deleted, or nothing of it is left. */
  findDeletedManifest(name: RepositoryName, digest: Digest): Promise<Milliseconds | null>

  /**
   * Makes a manifest live again on the path of `putManifest`: links that it needs are locked, checked, and freed of what
   * would have them collected; an index brings the deleted manifests that it names with it, as far as they are whole. Its
   * tags and their history change in the same step. A manifest that is live only gets its tag, and its children back.
   * @returns null when the repository is not there or nothing is left of the manifest.
   * @throws RegistryError `MANIFEST_BLOB_UNKNOWN` with `detail.missing` (digests) when its content is not here any more; `CONFLICT` as
   * `putManifest`. Nothing is changed then.
   */
  restoreManifest(input: RestoreManifest): Promise<RestoredManifest | null>
}
