import type { StorageKey, UploadId } from './storage-key.ts'

/** A piece of an object: `length` bytes from `offset`, both in bytes. */
export interface ByteRange {
  offset: number
  length: number
}

/** An object that is being read. Whoever opened it closes it; `await using` does. */
export interface ObjectReader extends AsyncDisposable {
  /** Size of the whole object in bytes, whatever the range. Known before the first byte is sent. */
  readonly size: number
  /**
   * The bytes of the range, in order, in chunks of any size. A chunk is the driver's buffer: it is valid until the
   * next one is asked for, so a consumer that keeps it copies it. Can be iterated once.
   */
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * Where bytes live: immutable objects under keys that are never used twice. There is no staging, no rename and no
 * commit here; those are rows of the {@link MetadataStore}. Every driver passes `blobStoreContract` of the testkit.
 *
 * Faults are `RegistryError`s: `STORAGE_FULL` when there is no space, `STORAGE_UNAVAILABLE` for whatever else the
 * backend answers.
 */
export interface BlobStore extends AsyncDisposable {
  /** The name of this backend in `blob_locations.backend`, for example `disk`. */
  readonly backend: string
  /** Whether content here can reach the public network; private repositories are never written to such a backend. */
  readonly public: boolean

  /**
   * Stores a new object. When the promise resolves the object is durable (it survives a power cut); when it rejects,
   * or the signal aborts, nothing is left under the key. A chunk of `source` is valid until the next one is asked
   * for. Memory is bounded by the chunks, whatever the size.
   *
   * @throws when the key exists already (a key is used once), when `source` throws (the same error), and the faults
   * above.
   */
  write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<{ size: number }>

  /**
   * Opens an object, whole or a range of it. Null when there is no such object.
   * @throws RegistryError `RANGE_INVALID` when the range does not lie within it.
   */
  open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null>

  /** The size of an object in bytes, or null when there is none. */
  stat(key: StorageKey): Promise<{ size: number } | null>

  /** Removes an object, and what a write that was killed has left under its key; a missing one is fine. */
  delete(key: StorageKey): Promise<void>

  /** Resolves when the backend would take a write now; rejects with the reason, for `/readyz` and `doctor`. */
  check(): Promise<void>
}

/** Ability of a backend to list what it holds, for the sweep of ended uploads and for scrub. */
export interface Lists {
  /**
   * Every key that begins with the prefix (an upload id and `/`, or empty), in no order. What a write under way, or one that
   * was killed, holds under a key and is no object yet may be among them.
   */
  list(prefix: string): AsyncIterable<StorageKey>
}

/** Whether a store has the ability {@link Lists}. */
export function lists(store: BlobStore): store is BlobStore & Lists {
  return 'list' in store
}

/**
 * Ability of a backend whose bytes are taken as they come: a disk of ours, which scrub reads again. What lacks it is far
 * away, or somebody else's, and is read leaf by leaf, each compared with its hash before a byte of it is given to anyone.
 */
export interface Trusted {
  readonly trusted: boolean
}

/** Whether a store has the ability {@link Trusted}. */
export function isTrusted(store: BlobStore): boolean {
  return 'trusted' in store && store.trusted === true
}

/** Ability of a backend to let clients fetch an object from itself. */
export interface RedirectsReads {
  /**
   * A URL under which anybody can read the object, whole or in ranges, for some minutes. It is a secret like the content
   * itself: given to whoever may read it, never written to a log.
   */
  redirect(key: StorageKey): Promise<string>
}

/** Whether a store has the ability {@link RedirectsReads}. */
export function redirectsReads(store: BlobStore): store is BlobStore & RedirectsReads {
  return 'redirect' in store
}

/** Ability of a backend that is on IPFS itself, and says under which CID an object is there. */
export interface ReportsCids {
  /** The CID as the backend writes it; null when there is no such object, or the backend says nothing of it. */
  reportedCid(key: StorageKey): Promise<string | null>
}

/** Whether a store has the ability {@link ReportsCids}. */
export function reportsCids(store: BlobStore): store is BlobStore & ReportsCids {
  return 'reportedCid' in store
}

/** Ability of a backend where every list is a walk through all that it holds: many uploads are found in one walk. */
export interface ListsUploads {
  /** Every key of these uploads, in no order. */
  listUploads(uploads: ReadonlySet<UploadId>): AsyncIterable<StorageKey>
}

/** Whether a store has the ability {@link ListsUploads}. */
export function listsUploads(store: BlobStore): store is BlobStore & ListsUploads {
  return 'listUploads' in store
}
