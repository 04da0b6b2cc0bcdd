import type { Cid } from '@openregistry/dag'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import type { Milliseconds, Page, PageRequest } from './metadata-store.ts'
import type { StorageKey } from './storage-key.ts'

/** Where bytes are, as scrub names them: in the database itself, or an object of a backend. */
export type StoredPlace = { kind: 'inline' } | { kind: 'object'; backend: string; key: StorageKey }

/** What is known of the bytes at a place. Bytes that are not good are never served. */
export type LocationState = 'good' | 'damaged' | 'missing'

/** A location whose bytes are to be read again, with what they must be. */
export interface ClaimedLocation {
  id: number
  blobId: number
  place: StoredPlace
  state: LocationState
  sha256: Digest
  sha512: Digest | null
  size: number
  cid: Cid
}

/** What `claimLocations` needs. */
export interface ClaimLocations {
  /** A new random word of the caller; what is recorded later names it. */
  claim: string
  /** How long nobody else takes these locations. */
  lease: Milliseconds
  limit: number
  /** Only locations that were verified before this moment of the database's clock. */
  verifiedBefore: Milliseconds
  /** Only locations of these blobs; null: of all. */
  blobs: readonly number[] | null
}

/** Bytes that turned out not to be what they must be. */
export interface LocationDamage {
  state: Exclude<LocationState, 'good'>
  /** An inline location is named by its claim, too: whoever has replaced its bytes since has ended that. */
  at:
    { kind: 'object'; backend: string; key: StorageKey } | { kind: 'inline'; location: number; claim: string }
}

/** The content that a location was to hold. */
export interface LocatedContent {
  blobId: number
  sha256: Digest
  size: number
}

/** A row of content that disagrees with the bytes, whose SHA-256 is right: everything else follows from the bytes. */
export interface MendedContent {
  location: number
  blobId: number
  claim: string
  size: number
  sha512: Digest | null
  cid: Cid
  leaves: Uint8Array
  nodes: readonly Uint8Array[]
}

/** A repository that has a blob, and the images there that need it. */
export interface BlobUse {
  repository: RepositoryName
  /** The manifests that need it, or are it, and the indexes above them; with the tags on each. */
  images: { digest: Digest; tags: Tag[] }[]
}

/** Bytes that are not good, as a list of them has it. */
export interface DamagedLocation {
  id: number
  blobId: number
  place: StoredPlace
  state: Exclude<LocationState, 'good'>
  sha256: Digest
  size: number
  cid: Cid
  /** Whether the same content has good bytes at another place, from which it is served. */
  served: boolean
}

/** How much a pass over stored content has before it. Costs as much as there is: for people who wait, not for requests. */
export interface ScrubTotals {
  objects: number
  bytes: number
}

/** The part of a backend's keys that one look at its list covers: those that begin with two hex digits. */
export interface ClaimedListing {
  prefix: string
  /** When it was claimed, by the database's clock. */
  now: Milliseconds
}

/** An object that no row names. */
export interface SurplusObject {
  key: StorageKey
  /** Whether it was found long enough ago to be deleted. */
  due: boolean
}

/**
 * Steps and reads of scrub, which reads stored bytes again. Locations are worked through in the order in which they
 * were verified last, so the order itself is where a pass goes on; claims keep replicas from reading the same bytes.
 */
export interface ScrubStore {
  // --- reads ---------------------------------------------------------------------------------------------------

  /** The database's clock. */
  databaseTime(): Promise<Milliseconds>

  /** What a location must hold: packed leaf hashes, and its bytes when they are inline. Null when it is gone. */
  readLocation(id: number): Promise<{ leaves: Uint8Array; bytes: Uint8Array | null } | null>

  /** The object that a backend has of this content, if it is not known to be bad. */
  findStoredObject(sha256: Digest, backend: string): Promise<StorageKey | null>

  /** Locations that were verified before this moment. Walks all of them. */
  scrubTotals(verifiedBefore: Milliseconds): Promise<ScrubTotals>

  /** Blobs that a repository reads, or that are its manifests, in order of digest. Null when it is not there. */
  listRepositoryContent(
    name: RepositoryName,
    kind: 'blobs' | 'manifests',
    page: PageRequest<string>,
  ): Promise<Page<{ digest: Digest; blobId: number }> | null>

  /** Who needs a blob: at most `limit` repositories, and as many images of each. */
  listBlobUses(blobId: number, limit: number): Promise<BlobUse[]>

  /** Locations without good bytes, in order of their ids. */
  listDamage(page: PageRequest<number>): Promise<Page<DamagedLocation>>

  /** Keys of a backend that locations with good bytes name: after `after`, with this prefix, in order. */
  listKeys(backend: string, prefix: string, page: PageRequest<string>): Promise<Page<StorageKey>>

  // --- steps: what rows name -----------------------------------------------------------------------------------

  /**
   * The pass over everything that is under way, if it began within `within`; else a new one. `anew` always begins one.
   * A pass is over for every location that was verified after it began.
   */
  beginScrubPass(input: {
    anew: boolean
    within: Milliseconds
  }): Promise<{ startedAt: Milliseconds; resumed: boolean }>

  /** Notes that nothing is left of a pass. */
  endScrubPass(startedAt: Milliseconds): Promise<void>

  /** Claims locations that nobody has claimed, the longest unverified first. */
  claimLocations(input: ClaimLocations): Promise<ClaimedLocation[]>

  /** Keeps claims for longer. */
  renewLocationClaims(input: { ids: readonly number[]; claim: string; lease: Milliseconds }): Promise<void>

  /** Whether any location that was verified before this moment is claimed by somebody at work. */
  hasClaims(verifiedBefore: Milliseconds): Promise<boolean>

  /** Notes that these bytes are what they must be. Those whose claim is another one by now are left alone. */
  recordVerified(input: { ids: readonly number[]; claim: string }): Promise<void>

  /** Ends claims without a verdict. */
  releaseLocations(input: { ids: readonly number[]; claim: string }): Promise<void>

  /**
   * Marks bytes that are damaged or missing: from now on nothing reads, mounts or needs them, and the next push of the
   * same content replaces them. Null when the location is gone or names other bytes by now.
   */
  recordDamage(damage: LocationDamage): Promise<LocatedContent | null>

  /** Corrects what follows from the bytes. The location is good then. */
  mendContent(input: MendedContent): Promise<void>

  /** Puts bytes that were compared with their digest in the place of damaged ones. False when these are not damaged any more. */
  mendInline(input: { location: number; bytes: Uint8Array }): Promise<boolean>

  // --- steps: what a backend holds -----------------------------------------------------------------------------

  /** Claims the prefix of a backend that was listed longest ago, and before this moment; null when there is none. */
  claimListing(input: {
    backend: string
    claim: string
    lease: Milliseconds
    listedBefore: Milliseconds
  }): Promise<ClaimedListing | null>

  /**
   * Of these objects of a backend's list, remembers and returns those that no row names: no location, no session (open,
   * or a tombstone that its sweep will see to), no pending delete. A session's row is durable before its first object
   * and outlives its commit, so an object of an upload that can still be committed is never among them.
   * @param age how long ago an object must have been found first to be `due`.
   */
  noteSurplus(input: {
    backend: string
    keys: readonly StorageKey[]
    age: Milliseconds
  }): Promise<SurplusObject[]>

  /**
   * Asks again, and gives what is still named by no row, and was found at least `age` ago, to the pending deletes.
   * Nothing is deleted while more than a tenth of the backend would go, unless that is `confirmed`: such a database
   * is not the one that belongs to these objects.
   */
  deleteSurplus(input: {
    backend: string
    prefix: string
    age: Milliseconds
    confirmed: boolean
  }): Promise<{ deleted: number; withheld: number }>

  /** Notes that a prefix was listed; surplus objects that this list, begun at `now`, did not have are forgotten. */
  endListing(input: { backend: string; prefix: string; claim: string; now: Milliseconds }): Promise<void>
}
