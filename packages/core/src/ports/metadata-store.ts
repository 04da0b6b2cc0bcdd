import type { Cid } from '@openregistry/dag'
import type { Annotations, Digest, DigestAlgorithm, Reference, RepositoryName, Tag } from '@openregistry/oci'
import type { BackendTies } from './backend-identity.ts'
import type { CollectionSteps } from './collection.ts'
import type { ContentHashes } from './content-hasher.ts'
import type { JobQueue } from './jobs.ts'
import type { HistoryStore } from './history.ts'
import type { IpfsStore } from './ipfs.ts'
import type { PlacementRules, PlacementStore } from './placement.ts'
import type { RestoreSteps } from './restoring.ts'
import type { ScrubStore } from './scrub.ts'
import type { StorageKey, UploadId } from './storage-key.ts'

/** Who may see a repository without credentials. */
export type Visibility = 'public' | 'private'

/** Times are milliseconds since 1970 by the database's clock. */
export type Milliseconds = number

/** A repository as access decisions see it. */
export interface RepositoryFacts {
  /** UUIDv7; never used again, so nothing outlives a name that is created anew. */
  id: string
  name: RepositoryName
  visibility: Visibility
}

/** Where good bytes of a blob are. */
export type BlobLocation =
  { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; backend: string; key: StorageKey }

/** A manifest of a repository. `bytes` are exactly those that were pushed; null when they were not asked for. */
export interface StoredManifest {
  digest: Digest
  mediaType: string
  size: number
  cid: Cid
  bytes: Uint8Array | null
  /** SHA-256 of the root of its image layout, if that was computed. */
  layoutRoot: Uint8Array | null
}

/** A blob that is linked, and not hidden, in a repository. */
export interface LinkedBlob {
  digest: Digest
  size: number
  cid: Cid
  /** Null when no good location is left; such a blob is answered like an unknown one. */
  location: BlobLocation | null
  /** The same content at other places, for when that one cannot be read. */
  others: readonly BlobLocation[]
  leaseUntil: Milliseconds | null
  unreferencedSince: Milliseconds | null
  /** The database's clock at the moment of the read. */
  now: Milliseconds
}

/** An upload session that is open. */
export interface UploadSession {
  id: UploadId
  repository: RepositoryFacts
  /** `principalName` of whoever opened it; nobody else may continue it. */
  principal: string
  backend: string
  /** What the client said it would name the blob with, or null. */
  algorithm: DigestAlgorithm | null
  /** Bytes that are durable. */
  offset: number
  /** How long ago it was opened, by the database's clock. */
  age: Milliseconds
  expiresAt: Milliseconds
}

/** A durable piece of an upload: an object, or bytes in the row. */
export interface UploadPart {
  offset: number
  size: number
  stored: { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; key: StorageKey }
  /** Kept for the part at offset 0 alone; the others are hashed when the parts are joined. */
  hashes: ContentHashes | null
}

/** What `openUpload` needs. */
export interface OpenUpload {
  id: UploadId
  repository: RepositoryName
  /** Of the repository, if this creates it. */
  defaultVisibility: Visibility
  principal: string
  /** They choose its backend. */
  rules: PlacementRules
  algorithm: DigestAlgorithm | null
  /** How long the session lives after its last progress. */
  lifetime: Milliseconds
  /** Open sessions that one repository may have; one more is `TOOMANYREQUESTS`. 0 means no limit. */
  limit: number
}

/** What `addPart` needs. */
export interface AddPart {
  upload: UploadId
  part: UploadPart
  lifetime: Milliseconds
}

/** What `commitBlob` needs: one durable object (or inline bytes), fully hashed. */
export interface CommitBlob {
  upload: UploadId
  /** Where the session must stand; another writer in between makes it `UPLOAD_OFFSET_MISMATCH`. */
  offset: number
  /** The digest under which the repository gets the blob. */
  digest: Digest
  sha256: Digest
  sha512: Digest | null
  size: number
  cid: Cid
  /** Packed, 32 bytes a leaf. */
  leaves: Uint8Array
  /** SHA-256 of the dag-pb nodes above the leaves, level 1 first, in order; packed, 32 bytes each. Empty up to 1 MiB. */
  nodes: readonly Uint8Array[]
  stored: { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; key: StorageKey }
  /** How long the link is safe without a manifest. */
  lease: Milliseconds
  rules: PlacementRules
}

/** What a manifest needs. */
export interface ManifestReference {
  digest: Digest
  /** `blob`: must be linked. `manifest`: a child of an index, may be missing. `foreign`: non-distributable, may be missing. */
  kind: 'blob' | 'manifest' | 'foreign'
}

/** What `putManifest` needs. */
export interface PutManifest {
  repository: RepositoryName
  defaultVisibility: Visibility
  principal: string
  digest: Digest
  sha256: Digest
  sha512: Digest | null
  cid: Cid
  bytes: Uint8Array
  mediaType: string
  artifactType: string | null
  subject: Digest | null
  annotations: Annotations | null
  references: readonly ManifestReference[]
  /** Tags that point to it from now on; may be empty. */
  tags: readonly Tag[]
  rules: PlacementRules
}

/** An entry of a referrers list. */
export interface ReferrerRecord {
  digest: Digest
  mediaType: string
  size: number
  artifactType: string | null
  annotations: Annotations | null
}

/** A tag with what it points to. */
export interface TagRecord {
  tag: Tag
  digest: Digest
  mediaType: string
  /** Of the manifest, in bytes. */
  size: number
  updatedAt: Milliseconds
}

/** A page of a list that is ordered bytewise; `more` says that another entry follows. */
export interface Page<T> {
  items: T[]
  more: boolean
}

/** Where a page begins: after this entry (which need not exist), or at the first. `limit` ≥ 0. */
export interface PageRequest<K> {
  after: K | null
  limit: number
}

/** Some leaves of the blob whose object this is. */
export interface LeafRange {
  backend: string
  key: StorageKey
  /** Index of the first of them, from 0. */
  first: number
  count: number
}

/** Which repositories a list may show; given by the access gate, never by a client. */
export type ListingScope = { kind: 'all' } | { kind: 'public' }

/** Bytes that no row needs any more and that a backend still has. */
export interface PendingDelete {
  id: number
  backend: string
  key: StorageKey
}

/**
 * The truth. One method for each atomic step: it happens whole and durably, or not at all, and no transaction crosses
 * this port. Steps that conflict wait for each other or are tried again a bounded number of times; a client never sees
 * that as a fault. Whatever an acknowledged step wrote is seen by every later call, on every replica.
 *
 * Reads take no locks. They answer facts about the repository together with the data, so that a use case can decide on
 * access with what was true in the same instant. Every implementation passes `metadataStoreContract` of the testkit.
 *
 * Faults are `RegistryError`s: `METADATA_UNAVAILABLE`, `STORAGE_FULL`.
 */
export interface MetadataStore
  extends
    BackendTies,
    CollectionSteps,
    HistoryStore,
    IpfsStore,
    JobQueue,
    PlacementStore,
    RestoreSteps,
    ScrubStore,
    AsyncDisposable {
  // --- reads ---------------------------------------------------------------------------------------------------

  /** A repository that is not deleted. */
  findRepository(name: RepositoryName): Promise<RepositoryFacts | null>

  /** A live manifest by tag or digest, in one indexed query. Null when the repository is not there. */
  findManifest(
    name: RepositoryName,
    reference: Reference,
    options: { bytes: boolean },
  ): Promise<{ repository: RepositoryFacts; manifest: StoredManifest | null } | null>

  /**
   * A linked blob, in one indexed query. Null when the repository is not there. With `bytes: false` an inline location
   * has no bytes: whoever only asks whether a blob is here need not copy them.
   */
  findBlob(
    name: RepositoryName,
    digest: Digest,
    options?: { bytes: boolean },
  ): Promise<{ repository: RepositoryFacts; blob: LinkedBlob | null } | null>

  /**
   * SHA-256 of these leaves, packed, 32 bytes each; fewer where the blob ends. Null when the object is not a good location
   * any more.
   */
  readLeaves(leaves: LeafRange): Promise<Uint8Array | null>

  /**
   * Any repository from which `digest` could be mounted: one of the namespace (first component of a name) or a public
   * one, with a good location; one bounded indexed query however many repositories hold the blob.
   */
  findMountSource(namespace: string, digest: Digest): Promise<RepositoryFacts | null>

  /** An open session of this repository; null when unknown, ended, expired, or of another repository. */
  findUpload(name: RepositoryName, id: UploadId): Promise<UploadSession | null>

  /**
   * The parts of an open session in order of offset: those that begin at byte `from` (0) or later, `limit` (1000) of them at
   * most.
   */
  listParts(id: UploadId, page?: { from?: number; limit?: number }): Promise<UploadPart[]>

  /** Names of tags in bytewise order: what `/v2` lists. Null when the repository is not there or never held a manifest. */
  listTagNames(
    name: RepositoryName,
    page: PageRequest<string>,
  ): Promise<{ repository: RepositoryFacts; page: Page<Tag> } | null>

  /** The same with what each tag points to. */
  listTags(
    name: RepositoryName,
    page: PageRequest<string>,
  ): Promise<{ repository: RepositoryFacts; page: Page<TagRecord> } | null>

  /** Names of repositories that hold or held a manifest, in bytewise order. */
  listRepositories(scope: ListingScope, page: PageRequest<string>): Promise<Page<RepositoryFacts>>

  /** Live manifests with this subject, ordered by digest. Null when the repository is not there. */
  listReferrers(
    name: RepositoryName,
    subject: Digest,
    artifactType: string | null,
    page: PageRequest<string>,
  ): Promise<{ repository: RepositoryFacts; page: Page<ReferrerRecord> } | null>

  // --- steps: upload -------------------------------------------------------------------------------------------

  /**
   * Opens a session in the backend that the repository's content goes to, and creates the repository if it is not there.
   * @throws RegistryError `TOOMANYREQUESTS` when the repository has `limit` open sessions; `DENIED` when there is no
   * backend for what is not public, `STORAGE_UNAVAILABLE` when the repository's is not configured.
   */
  openUpload(input: OpenUpload): Promise<UploadSession>

  /**
   * Adds a durable part where the session stands (compare and set on `part.offset`) and moves its offset and expiry.
   * @returns the new offset.
   * @throws RegistryError `UPLOAD_OFFSET_MISMATCH` (with `detail.offset`) when the session stands elsewhere,
   * `BLOB_UPLOAD_UNKNOWN` when it is not open.
   */
  addPart(input: AddPart): Promise<number>

  /** Gives an open session `lifetime` more, from now. False when it is not open. */
  renewUpload(id: UploadId, lifetime: Milliseconds): Promise<boolean>

  /**
   * Ends the session with a blob: blob, location, blocks, link with its lease, all in one step. If the blob has a good
   * location in this backend already, the new object goes to the pending deletes instead; parts that were joined go
   * there too. A hidden link comes back. When the repository was moved meanwhile, its move is asked for again.
   * @throws RegistryError `UPLOAD_OFFSET_MISMATCH`, `BLOB_UPLOAD_UNKNOWN` as `addPart`; `CONFLICT` when the session's backend
   * is public and the repository may have nothing there (any more).
   */
  commitBlob(input: CommitBlob): Promise<void>

  /** Ends an open session; its objects go to the pending deletes. False when it is not open in this repository. */
  cancelUpload(name: RepositoryName, id: UploadId): Promise<boolean>

  /**
   * Links a blob of `source` in `target` with a lease, creating `target` if needed. False when the source (by id) does
   * not have it any more, or it has no good location in a backend that content of `target` may lie in.
   */
  mountBlob(input: {
    source: string
    target: RepositoryName
    defaultVisibility: Visibility
    digest: Digest
    lease: Milliseconds
    rules: PlacementRules
  }): Promise<boolean>

  /**
   * A client relies on this blob being there: where the link has a lease or is unreferenced, it is good for `lease`
   * more. False when the link is gone or hidden.
   */
  renewLease(repositoryId: string, digest: Digest, lease: Milliseconds): Promise<boolean>

  /** Every link of a repository whose lease is in its second half is good for `lease`, from now. */
  renewLeases(repositoryId: string, lease: Milliseconds): Promise<void>

  // --- steps: manifests, tags, deletion ------------------------------------------------------------------------

  /**
   * Stores a manifest: its bytes inline, its references, its tags with their history. Blob links that it needs lose
   * their leases. Creates the repository if needed, revives a deleted manifest.
   * @returns `missing`: children of an index that are not there (allowed).
   * @throws RegistryError `MANIFEST_BLOB_UNKNOWN` with `detail.missing` (digests) when blobs are not
   * linked here; `CONFLICT` when they lie in a public backend and the repository may have nothing there. Nothing is
   * stored then.
   */
  putManifest(input: PutManifest): Promise<{ missing: Digest[] }>

  /** Deletes a manifest with every tag on it. False when it is not there. */
  deleteManifest(name: RepositoryName, digest: Digest, principal: string): Promise<boolean>

  /** Deletes a tag alone. False when it is not there. */
  deleteTag(name: RepositoryName, tag: Tag, principal: string): Promise<boolean>

  /** Hides a link: unreadable from now on, whoever still needs its bytes. False when it is not there. */
  deleteBlob(name: RepositoryName, digest: Digest): Promise<boolean>

  /**
   * Changes who may see a repository. Null when it is not there. One that becomes public may have copies in public backends
   * again.
   * @throws RegistryError `CONFLICT` with `detail` (`backends`, `blobs`, `bytes`, `uploads`) when it is to be private and
   * has content, or uploads under way, in public backends.
   */
  setVisibility(
    name: RepositoryName,
    visibility: Visibility,
    rules: PlacementRules,
  ): Promise<RepositoryFacts | null>

  /** Deletes a repository with all that is in it; its name is free at once. False when it is not there. */
  deleteRepository(name: RepositoryName, principal: string): Promise<boolean>

  // --- steps: housekeeping -------------------------------------------------------------------------------------

  /**
   * Ends up to `limit` sessions whose time is over, and returns ended ones whose tombstone is due, for the sweep of
   * their objects.
   */
  expireUploads(limit: number): Promise<{ upload: UploadId; backend: string }[]>

  /** Of these objects of a swept upload, gives those that no location names to the pending deletes; drops its tombstone. */
  sweepUpload(upload: UploadId, found: readonly StorageKey[]): Promise<void>

  /** Objects to delete, oldest first; with `after` those that came later than the one with this id. */
  listPendingDeletes(limit: number, after?: number): Promise<PendingDelete[]>

  /** Forgets pending deletes whose objects are gone. */
  forgetPendingDeletes(ids: readonly number[]): Promise<void>

  // --- operation -----------------------------------------------------------------------------------------------

  /** Resolves when a step would be taken now; rejects with the reason. */
  check(): Promise<void>

  /** Numbers for metrics and `doctor`, cheap whatever the size of the registry. */
  figures(): Promise<{ schemaVersion: number; openUploads: number; pendingDeletes: number }>
}
