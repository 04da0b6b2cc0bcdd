import type { Cid } from '@openregistry/dag'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import type {
  BlobLocation,
  Milliseconds,
  Page,
  PageRequest,
  RepositoryFacts,
  Visibility,
} from './metadata-store.ts'
import type { PlacementRules } from './placement.ts'

/** What is wanted of content that everybody may see. */
export interface PublicBlobWish {
  /** 32 bytes. */
  sha256: Uint8Array
  /**
   * What has this hash: `block`: any block of the blob, the blob itself if it is small enough to be its only one; `root`:
   * the block that leads to all others; `content`: the blob itself, whatever its size.
   */
  as: 'block' | 'root' | 'content'
  /** Ids of blobs that were answered before and are of no use. */
  except: readonly number[]
  /** Whether bytes that are in the database are wanted, too; without it they are empty. */
  bytes: boolean
}

/** A blob with a block of the wanted hash, in a repository that is public. */
export interface PublicBlob {
  /** One of those that have it, as it was in the instant of the read: what the gate is asked with. */
  repository: RepositoryFacts
  id: number
  sha256: Digest
  /** Of the blob, in bytes. */
  size: number
  /** Where the block is in the blob's tree: 0 is a leaf, whose hash is certain; above, its first 8 bytes are. */
  level: number
  /** In its level, from 0. */
  index: number
  /** Where good bytes are, those in the database first. May be empty. */
  locations: BlobLocation[]
}

/** A block that no blob has: of a directory. */
export interface PublicNode {
  repository: RepositoryFacts
  bytes: Uint8Array
}

/** A block with its hash. */
export interface HashedBlock {
  /** 32 bytes. */
  sha256: Uint8Array
  bytes: Uint8Array
}

/** The image layout of a manifest in a repository. */
export interface ImageLayout {
  /** SHA-256 of the root directory. Null: the image was not whole when this was found out. */
  root: Uint8Array | null
  /** `Tsize` of the root: bytes of all blocks of the layout; 0 without a root. */
  size: number
  /** Whether its blocks are stored: only where they may be seen. */
  stored: boolean
  /** How long ago it was computed, by the database's clock. */
  age: Milliseconds
}

/** The name of a repository in IPNS, as it is to be renewed. */
export interface NameRenewal {
  /** The Ed25519 key that is the name, 32 bytes. */
  publicKey: Uint8Array
  /** How long what the name leads to is to be believed from now on. */
  lifetime: Milliseconds
  /** It is renewed when less than this is left, or it leads elsewhere. */
  before: Milliseconds
}

/** What a name leads to. Its record follows from this and the key, so it is signed when somebody asks. */
export interface PublicName {
  repository: RepositoryFacts
  /** SHA-256 of the directory's root. */
  root: Uint8Array
  /** Larger than that of everything the name has led to before. */
  sequence: number
  /** By the database's clock. */
  validUntil: Milliseconds
  /** The database's clock. */
  now: Milliseconds
}

/** What `putLayout` needs. */
export interface PutLayout {
  repository: RepositoryName
  /** Of the manifest. */
  digest: Digest
  layout: { root: Uint8Array; size: number; blocks: readonly HashedBlock[] } | null
}

/** A tag with the layout of what it points to. */
export interface TaggedLayout {
  tag: Tag
  digest: Digest
  /** Null when nobody has computed it. */
  layout: ImageLayout | null
}

/** A stored layout of which it is time to look whether it is pinned. */
export interface DueLayout {
  /** Id of its row. */
  id: number
  /** Null when it is not public, or the manifest is deleted. */
  repository: RepositoryFacts | null
  /** Whether that was moved away from public backends. */
  confined: boolean
  /** Of the manifest. */
  digest: Digest
  /** SHA-256 of the root directory. */
  root: Uint8Array
}

/** What `beginLayoutPin` needs. */
export interface BeginLayoutPin {
  /** The repository on whose account the layout is pinned. */
  repositoryId: string
  backend: string
  /** SHA-256 of the root directory. */
  root: Uint8Array
  rules: PlacementRules
}

/** What `releaseLayoutPins` needs. */
export interface ReleaseLayoutPins {
  repositoryId: string
  rules: PlacementRules
  limit: number
}

/** A pin that has to go. */
export interface ReleasedPin {
  /** SHA-256 of the root directory. */
  root: Uint8Array
  backend: string
  /** Whether it is just being made: whoever makes it sees that it is not wanted, and takes it away. */
  underWay: boolean
}

/** An image whose layout a backend holds. */
export interface PinnedLayout {
  manifest: Digest
  backend: string
  since: Milliseconds
}

/** A root of which it is time to tell the network. */
export interface DueRoot {
  /** What it is the root of: a layout, by the id of its row, or the directory of a repository, by the id of that. */
  of: { layout: number } | { directory: string }
  /** SHA-256 of the root. */
  root: Uint8Array
  /** Whether the network is to be told: whether the repository is public, and the image, or the repository, has a tag. */
  wanted: boolean
}

/** What `endAnnouncement` needs. */
export interface EndAnnouncement extends Pick<DueRoot, 'of' | 'root'> {
  /** Whether peers took note. */
  announced: boolean
  /** After which time it is due again. */
  again: Milliseconds
}

/** An image of whose layout the network was told. */
export interface AnnouncedLayout {
  manifest: Digest
  at: Milliseconds
}

/** Content that a manifest may name, as a repository has it. */
export interface ContentShape {
  digest: Digest
  cid: Cid
  /** In bytes. */
  size: number
}

/** A repository whose visibility changed, before all of its rows have followed. */
export interface UnsettledRepository {
  id: string
  visibility: Visibility
}

/** One step of having rows follow the visibility of their repository. */
export interface SettleContent extends UnsettledRepository {
  content: 'blobs' | 'manifests'
  /** Where the step begins: after this digest; an empty string at the beginning. */
  after: string
  limit: number
}

/**
 * Reads and steps of everything that speaks IPFS. Whether anybody may see something is decided by `repositories.visibility`
 * in the statement that reads it, so one changed row opens or closes everything at the next read. A group of
 * `MetadataStore`.
 */
export interface IpfsStore {
  // --- public content ------------------------------------------------------------------------------------------

  /**
   * A blob that has what is wanted and is linked, and not hidden, or is a live manifest, in a repository that is public
   * now. What private repositories have of it costs nothing, however many they are. Null when there is none.
   */
  findPublicBlob(wish: PublicBlobWish): Promise<PublicBlob | null>

  /** Packed SHA-256 of the leaves of a blob; null when it is gone. The right to see it is asked elsewhere. */
  readBlobLeaves(blobId: number): Promise<Uint8Array | null>

  /**
   * A node of an image layout whose manifest is live in a repository that is public now, or of the directory of such a
   * repository's tags.
   */
  findPublicNode(sha256: Uint8Array): Promise<PublicNode | null>

  // --- rows that follow the visibility of their repository -------------------------------------------------------

  /** Repositories whose rows have not all followed, in the order of their ids, after the one with this id. */
  listUnsettled(after: string, limit: number): Promise<UnsettledRepository[]>

  /**
   * Has some rows follow, if the repository is as it was listed.
   * @returns where to go on, or null at the end.
   */
  settleContent(input: SettleContent): Promise<string | null>

  /**
   * Ends it after all rows were gone through. False when the repository was changed meanwhile or somebody is at work in
   * it whose rows cannot be seen yet: it stays unsettled, and is gone through again later.
   */
  endSettling(repository: UnsettledRepository): Promise<boolean>

  // --- layouts -------------------------------------------------------------------------------------------------

  /** The layout of a live manifest, if it was computed. Null when the manifest is not there. */
  findLayout(name: RepositoryName, digest: Digest): Promise<{ layout: ImageLayout | null } | null>

  /** Of these digests, the blobs that the repository has with good bytes, in any order. */
  describeBlobs(name: RepositoryName, digests: readonly Digest[]): Promise<ContentShape[]>

  /**
   * Notes the layout of a live manifest, or that its image is not whole (null). Blocks are kept only if the repository is
   * public; those that were kept before stay if the layout is the same, and go with it otherwise. Nothing happens when the
   * manifest is not there.
   */
  putLayout(input: PutLayout): Promise<void>

  /** Tags with their layouts in bytewise order. Null when the repository is not there. */
  listTaggedLayouts(
    name: RepositoryName,
    page: PageRequest<string>,
  ): Promise<{ repository: RepositoryFacts; page: Page<TaggedLayout> } | null>

  /**
   * Stores the directory of a public repository's tags, and has its name lead there, if it has one; nothing happens if it is
   * not public. Blocks of older ones that it does not have go after `keep`.
   */
  putDirectory(input: {
    repositoryId: string
    root: Uint8Array
    blocks: readonly HashedBlock[]
    keep: Milliseconds
    name: NameRenewal | null
  }): Promise<void>

  /**
   * What the name with this key leads to, if its repository is public now. Null, too, when it was not renewed in time.
   */
  findPublicName(publicKey: Uint8Array): Promise<PublicName | null>

  /** Repositories with a directory whose name is to be renewed within this time, or has none yet; the first due first. */
  listDueNames(before: Milliseconds, limit: number): Promise<{ repositoryId: string }[]>

  /** Renews names, where they lead to what is stored. */
  renewNames(
    names: readonly { repositoryId: string; publicKey: Uint8Array }[],
    wish: Omit<NameRenewal, 'publicKey'>,
  ): Promise<void>

  /**
   * Repositories whose tags changed, one entry for each change, oldest first, after the one with this id. Null in place of a
   * repository that is not public.
   */
  listTagChanges(after: number, limit: number): Promise<{ id: number; repository: RepositoryFacts | null }[]>

  /** Forgets changes that were seen to. */
  forgetTagChanges(ids: readonly number[]): Promise<void>

  // --- pins of layouts -------------------------------------------------------------------------------------------

  /** Stored layouts that are due, those that have waited longest first. */
  listDueLayouts(limit: number): Promise<DueLayout[]>

  /** Has these layouts be due again after this time. */
  postponeLayouts(ids: readonly number[], delay: Milliseconds): Promise<void>

  /**
   * Notes that a backend is being given the blocks of a layout, before it is. False, and nothing is noted, when the repository
   * is not public now, or may have nothing there. From then on until the pin is gone it is content of the repository there,
   * as blobs are: `setVisibility` refuses to make it private.
   */
  beginLayoutPin(input: BeginLayoutPin): Promise<boolean>

  /**
   * Notes that it has them. False when no image with this layout is public any more, or none that may be in a public backend
   * (`open`): then the pin has to go.
   */
  endLayoutPin(backend: string, root: Uint8Array, options: { open: boolean }): Promise<boolean>

  /**
   * Pins that were not looked at for this long, and whether they are wanted: whether an image with this layout is public, and
   * may be in a public backend, if this is one (`open`). Those whose image was made private, and released ones, come at once.
   */
  listLayoutPins(
    backend: string,
    page: { open: boolean; unseenFor: Milliseconds; limit: number },
  ): Promise<{ root: Uint8Array; wanted: boolean }[]>

  /** Notes that these were looked at. */
  seenLayoutPins(backend: string, roots: readonly Uint8Array[]): Promise<void>

  /**
   * Of a repository that may have nothing in public backends: says which pins there have to go that are there on its account
   * alone, some of them if they are many.
   */
  releaseLayoutPins(input: ReleaseLayoutPins): Promise<ReleasedPin[]>

  /**
   * Forgets a pin that is gone. Layouts of this root are due again, in case one has become public meanwhile. `released`: only
   * if nobody has begun it, or looked at it, since it was released.
   */
  forgetLayoutPin(backend: string, root: Uint8Array, options?: { released: boolean }): Promise<void>

  /** Of these manifests of a repository, those whose layouts are pinned on its account; in order of digest and backend. */
  listPinnedLayouts(repositoryId: string, manifests: readonly Digest[]): Promise<readonly PinnedLayout[]>

  // --- announcements ---------------------------------------------------------------------------------------------

  /**
   * Roots of which it is time to tell the network, those that have waited longest first: of layouts that are stored, or of
   * the directories of repositories. A directory that takes the place of another one is due within ten minutes.
   */
  listDueRoots(of: 'layouts' | 'directories', limit: number): Promise<DueRoot[]>

  /** Has roots that are not wanted be due again after this time. */
  postponeRoots(roots: readonly DueRoot['of'][], delay: Milliseconds): Promise<void>

  /** Has a root be due again. If peers took note, this holds for all images with the same layout. */
  endAnnouncement(input: EndAnnouncement): Promise<void>

  /** Of these manifests of a repository, those of whose layouts the network was told within this time; in order of digest. */
  listAnnouncedLayouts(
    repositoryId: string,
    wish: { manifests: readonly Digest[]; within: Milliseconds },
  ): Promise<readonly AnnouncedLayout[]>
}
