import type { Cid } from '@openregistry/dag'
import type { WholeObject } from './object-dag.ts'

/**
 * What keeps content because it is pinned: a node, or a cluster of nodes. One attempt each.
 * All throw PeerUnreachable when the answer does not come or breaks off, and PeerRefusal with the words of the service.
 */
export interface PinService {
  /** Pins a CID of the index, which has no block, with a text of at most 255 bytes that is kept beside it. */
  pinEntry(cid: Cid, text: string): Promise<void>
  /** The text of such a pin, or null when there is none. */
  entryOf(cid: Cid): Promise<string | null>
  /** The CIDs of all of them, perhaps among others. */
  entries(): AsyncIterable<string>
  /**
   * Stores all blocks of an object and pins it; as durable as the service makes anything when it resolves.
   * @param signal ends it while the blocks are being sent, and nothing is pinned then.
   */
  pinObject(object: WholeObject, signal?: AbortSignal): Promise<void>
  /** Takes a pin of any kind away; a missing one is fine. */
  unpin(cid: Cid): Promise<void>
}
