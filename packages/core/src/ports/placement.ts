import type { Cid } from '@openregistry/dag'
import type { Digest, RepositoryName } from '@openregistry/oci'
import type { Milliseconds, Page, PageRequest, RepositoryFacts, Visibility } from './metadata-store.ts'
import type { LocationState } from './scrub.ts'
import type { StorageKey, UploadId } from './storage-key.ts'

/**
 * Which backends there are, and what goes where: what steps hold a repository against. From the configuration, so that it
 * is the same for every process of a registry.
 */
export interface PlacementRules {
  /** Every backend, the default one first. */
  backends: readonly string[]
  /** Those whose content can reach the public network. */
  public: readonly string[]
  /** The backend of namespaces that have one of their own. */
  namespaces: Readonly<Record<string, string>>
  /** Backends that get a second copy of what may lie there. */
  replicas: readonly string[]
}

/** What of a repository decides where its content may lie. */
export interface PlacedRepository {
  name: RepositoryName
  visibility: Visibility
  /** Where it was moved to; null while it goes by the configuration. */
  backend: string | null
  /** Whether it was moved away from public backends: it has no copies there either, although it may be public. */
  confined: boolean
}

/** How the move of a repository to another backend stands. */
export type MoveState = 'running' | 'done' | 'failed' | 'cancelled'

/** An amount of content. */
export interface ContentAmount {
  blobs: number
  bytes: number
}

/** The newest move of a repository. */
export interface Move {
  /** Where its content goes. */
  backend: string
  state: MoveState
  /** `principalName` of whoever asked for it. */
  requestedBy: string
  /** Bytes a second; 0: as many as come. */
  rate: number
  startedAt: Milliseconds
  endedAt: Milliseconds | null
  /** What was elsewhere when it began; null until that is counted. */
  total: ContentAmount | null
  /** What relies on the new backend by now. */
  done: ContentAmount
  /** Bytes of blobs that are being copied. */
  underWay: number
  /** What went wrong the last time; a running one is tried again. */
  error: string | null
}

/** What `startMove` needs. */
export interface StartMove {
  repository: RepositoryName
  backend: string
  rate: number
  principal: string
  rules: PlacementRules
}

/** What brings the content of a repository to its backend has to know. */
export interface MoveTask extends PlacedRepository {
  repositoryId: string
  rate: number
  /** Whether what is to be done was counted. */
  counted: boolean
}

/** Content with what its bytes must be. */
export interface CheckedContent {
  blobId: number
  sha256: Digest
  size: number
  cid: Cid
}

/** A link whose bytes are not where its repository goes by, or that relies on others. */
export interface LinkElsewhere extends CheckedContent {
  /** Under which the repository has it. */
  digest: Digest
  /** Whether its bytes are good where they should be, or in the database, already. */
  there: boolean
}

/** Bytes of a blob at one place, and when they were last known to be what they must be. */
export interface BlobPlace {
  /** `inline`: in the database. */
  backend: string
  state: LocationState
  /** Compared as they arrived for the repository, or when they were read again; where they are bad, found to be so. */
  verifiedAt: Milliseconds
}

/** Whether a repository relies on a backend that it may not use. */
export interface ExposedRepository {
  name: RepositoryName
  /** Null: none. */
  backend: string | null
}

/** Where the bytes of a blob are that a repository has. */
export interface PlacedContent {
  /** Under which the repository has it. */
  digest: Digest
  size: number
  places: BlobPlace[]
}

/** A blob without a good second copy, and a repository on whose account it may have one. */
export interface UncopiedBlob extends CheckedContent {
  repository: { id: string; name: RepositoryName }
}

/** A pass over all blobs. */
export interface ReplicationPass {
  /** Which one it is. */
  begunAt: Milliseconds
  /** Id of the last blob that was looked at. */
  position: number
}

/** What `openCopy` needs. */
export interface OpenCopy {
  id: UploadId
  /** The repository on whose account the copy is made. */
  repositoryId: string
  backend: string
  lifetime: Milliseconds
  rules: PlacementRules
}

/** What `commitCopy` needs: a durable object with these bytes, read again and verified. */
export interface CommitCopy {
  upload: UploadId
  blobId: number
  key: StorageKey
  /** The link that is to rely on it, if the repository is moved; null for a second copy. */
  digest: Digest | null
  rules: PlacementRules
}

/**
 * Steps and reads that bring content to other backends. A copy has a session like an upload: its row is there before its
 * first byte, and it counts as content of its repository until it ends.
 */
export interface PlacementStore {
  // --- reads ---------------------------------------------------------------------------------------------------

  /** Where a repository was moved to, if it was, and its newest move. Null when the repository is not there. */
  findMove(
    name: RepositoryName,
  ): Promise<{ repository: RepositoryFacts; backend: string | null; move: Move | null } | null>

  /** What there is to do for a repository that was moved. Null when it goes by the configuration, or is not there. */
  findMoveTask(repositoryId: string): Promise<MoveTask | null>

  /**
   * Links that rely on another backend than this, or on bytes that are not good there, and not on bytes in the database; in
   * order of digest.
   */
  listLinksElsewhere(
    repositoryId: string,
    backend: string,
    page: PageRequest<string>,
  ): Promise<Page<LinkElsewhere>>

  /**
   * What images are made of: blobs that live manifests need, and those that their children need, each once. Very large trees
   * are followed only so far.
   */
  listImageContent(
    repositoryId: string,
    manifests: readonly Digest[],
  ): Promise<{ manifest: Digest; blobs: Digest[] }[]>

  /**
   * Where blobs are that a repository has, on its own account: in the backend that it relies on, in the database, and in
   * those of second copies. Nothing tells whether others have the same. Blobs that it does not have are left out.
   */
  listPlaces(
    repositoryId: string,
    digests: readonly Digest[],
    rules: PlacementRules,
  ): Promise<PlacedContent[]>

  /**
   * Repositories in order of name, and for private ones a backend of these that they rely on, if there is one: the
   * configuration may call a backend public later.
   */
  listExposed(
    backends: readonly string[],
    page: PageRequest<RepositoryName>,
  ): Promise<Page<ExposedRepository>>

  /**
   * Of the next `limit` blobs after the id `after`: those that have objects, none of them good in this backend, and that a
   * repository has which may have them there (`open`: which may have something in public backends).
   * @returns `position`: the id of the last blob that was looked at, or `after`.
   */
  listUncopied(input: {
    backend: string
    open: boolean
    after: number
    limit: number
  }): Promise<{ items: UncopiedBlob[]; position: number; more: boolean }>

  /** A repository that has a blob, on whose account it can be copied; `open`: into a public backend. Null: nobody has it. */
  findOwner(blobId: number, options: { open: boolean }): Promise<{ id: string; name: RepositoryName } | null>

  /** Objects of a blob that are not known to be bad. */
  listObjects(blobId: number): Promise<{ backend: string; key: StorageKey }[]>

  // --- steps: moves --------------------------------------------------------------------------------------------

  /**
   * Says that the content of a repository belongs into this backend from now on, and asks for the job that brings it
   * there. New content goes there at once. A move to the same backend that is running goes on. Null when the repository is
   * not there.
   * @throws RegistryError `CONFLICT` when it is being moved elsewhere, or may have nothing there.
   */
  startMove(input: StartMove): Promise<Move | null>

  /** Counts what is elsewhere, for whoever watches. */
  countMove(repositoryId: string): Promise<void>

  /** Notes how many bytes are being copied, and what went wrong, for whoever watches. */
  noteMove(input: { repositoryId: string; underWay: number; error: string | null }): Promise<void>

  /**
   * Lets links rely on the repository's backend, or on the database, where their bytes are good. What they relied on before
   * goes to the collector.
   * @returns how many do so now that did not before.
   */
  relocateLinks(input: {
    repositoryId: string
    digests: readonly Digest[]
    rules: PlacementRules
  }): Promise<number>

  /**
   * Of a repository that may have nothing in public backends: gives copies of its blobs there to the collector which are
   * there for nobody else.
   * @returns how many blobs have such copies.
   */
  releaseCopies(repositoryId: string, rules: PlacementRules): Promise<number>

  /**
   * Ends a move, unless more links than `left` rely on another backend: some came meanwhile, then. Null ends it whatever
   * there is. Uploads that are under way in a public backend end with the move of a repository that may have nothing there.
   * @param error why it is not complete.
   * @returns false when it goes on.
   */
  endMove(input: {
    repositoryId: string
    left: number | null
    error: string | null
    rules: PlacementRules
  }): Promise<boolean>

  /** Stops a move that is running. What was moved stays; new content goes where it went before. Null: nothing is moved. */
  cancelMove(name: RepositoryName): Promise<Move | null>

  // --- steps: second copies ------------------------------------------------------------------------------------

  /**
   * Where the making of second copies in this backend goes on: after the blob with the id `position`. A pass over all blobs
   * begins `interval` after the one before, and when a repository has become public: what was passed over gets its turn.
   */
  beginReplication(input: { backend: string; interval: Milliseconds }): Promise<ReplicationPass>

  /** Notes how far a pass is. False when another one has begun. */
  noteReplication(input: ReplicationPass & { backend: string }): Promise<boolean>

  // --- steps: copies -------------------------------------------------------------------------------------------

  /** Opens a session for a copy. False when the repository is not there, or may have nothing in this backend. */
  openCopy(input: OpenCopy): Promise<boolean>

  /**
   * Ends the session with a location of the blob. False when it is not wanted any more: the session was ended, the link has
   * gone, or the repository may have nothing there; the object goes to the pending deletes then.
   */
  commitCopy(input: CommitCopy): Promise<boolean>
}
