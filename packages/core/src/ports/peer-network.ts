/** What comes of an announcement. `withdrawn`: it was not to be made any more, and nobody heard of it; `unanswered`: nobody took note. */
export type Announcement = 'announced' | 'withdrawn' | 'unanswered'

/** How an announcement is made. */
export interface AnnounceOptions {
  /** Asked before anything is said, and right before each peer is asked or told: after a no nobody hears of it any more. */
  mayTell(): Promise<boolean>
  signal?: AbortSignal | undefined
}

/** The network of peers that look for content by its hash. */
export interface PeerNetwork {
  /**
   * Tells it that this registry has a block. Peers forget it after a day or two, and nothing is told again by itself.
   * @param digest SHA-256 of the block.
   * @throws Error when no peer can be reached at all, or none could reach this registry.
   */
  announce(digest: Uint8Array, options: AnnounceOptions): Promise<Announcement>
}
