import type { Digest } from '@openregistry/oci'
import type { Milliseconds } from './metadata-store.ts'
import type { PlacementRules } from './placement.ts'

/** What one step of the collector may do. */
export interface CollectLimits {
  /** Rows that it may take; it is over in milliseconds with a few hundred. At least 1. */
  limit: number
}

/** The same where backends matter. */
export interface CollectBlobs extends CollectLimits {
  rules: PlacementRules
}

/** The same for what is kept for a while after its deletion. */
export interface CollectAfter extends CollectLimits {
  /** How long after its deletion, or after the deletion of the last manifest that needed it; 0 or more. */
  grace: Milliseconds
}

/** What one step of the collector did. */
export interface CollectionStep {
  /** Repositories that hold nothing any more. */
  repositories: number
  /** Manifests whose rows are gone. */
  manifests: number
  /** Links that are gone. */
  links: number
  /** Blobs that are gone. */
  blobs: number
  /** What their bytes take in backends and rows. */
  bytes: number
  /** Whether the next call is likely to find more. */
  more: boolean
}

/** Why something is going to be collected. */
export type CollectionReason =
  /** A manifest was deleted, and its time of grace is over. */
  | 'manifest deleted'
  /** A manifest belongs to one that was deleted (a referrer, a signature), and there is no time of grace. */
  | 'subject deleted'
  /** The last manifest that needed a blob here was deleted, and the time of grace is over. */
  | 'no longer needed'
  /** A blob was pushed or mounted, and no manifest came within its lease. */
  | 'never needed'
  /** The repository was deleted. */
  | 'repository deleted'

/** What would go from one repository for one reason. */
export interface CollectableContent {
  repository: string
  reason: CollectionReason
  manifests: number
  /** Links, each of which lets the repository read a blob. */
  links: number
  /** Size of what they name. It comes back only if no other repository has it. */
  bytes: number
}

/** What a collection would take now, were nothing else to happen. */
export interface CollectionPreview {
  /** Most bytes first; at most as many entries as were asked for. */
  content: CollectableContent[]
  /** Whether there are more entries. */
  more: boolean
  /** Deleted repositories that still hold something, or were not looked at. */
  repositories: number
  /** Of all entries. */
  manifests: number
  links: number
  /** Blobs that nobody would need any more, and the bytes that would come back with them. */
  blobs: number
  bytes: number
  /** Manifests that would be deleted with what they belong to; they can be restored for the time of grace, and go then. */
  following: number
  /** Objects that are given up already, and are yet to be deleted from their backends. */
  pendingDeletes: number
}

/** Who has content that is to be purged. */
export interface PurgeHolder {
  repository: string
  /** A live manifest that is, or needs, this content; null when the repository merely has the blob. */
  manifest: Digest | null
  /** Its tags. */
  tags: string[]
}

/** What a purge would take. */
export interface PurgePlan {
  /** Of the content. */
  size: number
  /** At most as many as were asked for. */
  holders: PurgeHolder[]
  more: boolean
}

/**
 * Collection of what nobody needs any more, in small steps that any number of processes may take at any moment, beside pushes.
 * Rows go first, in the same step that writes the pending deletes which their bytes become.
 *
 * A step takes rows that nobody else has locked, and only then asks, in a statement of its own, whether they are needed:
 * what was committed while it waited is seen.
 */
export interface CollectionSteps {
  /** Takes what is in deleted repositories, without lease or grace. */
  emptyRepositories(limits: CollectLimits): Promise<CollectionStep>

  /**
   * Takes manifests whose grace is over. Before that, what was attached to them and is still there is deleted like
   * anything else: untagged referrers that were pushed before the subject was deleted and that no index needs, and what
   * the tags `<algorithm>-<hex>` and `<algorithm>-<hex>.<suffix>` name.
   */
  collectManifests(after: CollectAfter): Promise<CollectionStep>

  /**
   * Takes links that are due: no live manifest needs them, their lease is over, and so is the time of grace since the
   * last manifest went. One that turns out to be needed is put right.
   */
  collectLinks(after: CollectAfter): Promise<CollectionStep>

  /**
   * Takes blobs that have neither a link nor a manifest, with their blocks and locations; and of others the objects in
   * backends where nobody needs them any more.
   */
  collectBlobs(limits: CollectBlobs): Promise<CollectionStep>

  /**
   * Gives a little of the database's free space back to the file system, where that is not done by itself.
   * @returns whether there is more.
   */
  compact(): Promise<boolean>

  /**
   * What a collection would take, to the byte, if it found everything at once. A read over all that is due, which may
   * take minutes: for an operator, not for requests.
   */
  previewCollection(grace: Milliseconds, limit: number): Promise<CollectionPreview>

  /** Who has this content, under whichever digest; null when nobody has. */
  findHolders(digest: Digest, limit: number): Promise<PurgePlan | null>

  /**
   * Takes content away from everybody, whatever lease or grace is left: manifests that are or need it with their tags,
   * then every link, then the blob.
   * @param principal whom the histories of tags name.
   */
  purgeContent(digest: Digest, principal: string, limits: CollectLimits): Promise<CollectionStep>
}
