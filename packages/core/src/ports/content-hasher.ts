/** Size in bytes of a leaf of profile `unixfs-v1-2025`, and so of the pieces in which content is hashed. */
export const leafSize = 1024 * 1024

/** What one pass over content gives. */
export interface ContentHashes {
  /** Bytes seen. */
  size: number
  /** SHA-256 of everything, 32 bytes. */
  sha256: Uint8Array
  /** SHA-512 of everything, 64 bytes, when it was asked for. */
  sha512: Uint8Array | null
  /**
   * SHA-256 of every leaf of {@link leafSize}, the short last one included, 32 bytes each, packed. Empty content has
   * none.
   */
  leaves: Uint8Array
}

/** One pass over content. Dispose it when it is not finished, so that its thread forgets it. */
export interface HashRun extends Disposable {
  /**
   * Hashes the next piece off the event loop. Every piece but the last is exactly {@link leafSize} long. The piece's
   * memory may be used again once the promise has resolved. Pieces are hashed in the order of the calls.
   */
  update(piece: Uint8Array): Promise<void>
  /** Ends the run. */
  finish(): Promise<ContentHashes>
}

/** Hashes content while it arrives, on threads of its own. */
export interface ContentHasher extends AsyncDisposable {
  /** A buffer of {@link leafSize} that the threads can see without a copy. Give it back with {@link release}. */
  acquire(): Uint8Array
  /** Gives a buffer of {@link acquire} back. */
  release(piece: Uint8Array): void
  /** The same for a small body at once, on the event loop. For bodies that are held in memory anyway. */
  hashInline(bytes: Uint8Array, options: { sha512: boolean }): ContentHashes
  /** SHA-256 of one piece of at most {@link leafSize} by itself, off the event loop. */
  hashLeaf(piece: Uint8Array): Promise<Uint8Array>
  /** Begins a pass; `sha512` asks for that digest too. */
  begin(options: { sha512: boolean }): HashRun
}
