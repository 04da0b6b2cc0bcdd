import { writer } from 'protons-runtime'

/** What a peer is told: that a block is wanted, or not any more. */
export interface Ask {
  readonly cid: Uint8Array
  readonly cancel: boolean
}

/** Tags of fields (Bitswap 1.2, "Wire Format"): three bits say that bytes or a number follow. */
const tag = {
  wantlist: (1 << 3) | 2,
  entry: (1 << 3) | 2,
  full: (2 << 3) | 0,
  block: (1 << 3) | 2,
  priority: (2 << 3) | 0,
  cancel: (3 << 3) | 0,
  sendDontHave: (5 << 3) | 0,
} as const

/**
 * Asks for blocks, with their length in front as the message goes over a stream. What is not there is to be said, which peers
 * of 1.1 pass over.
 * @param priority of all of them: peers give what has a higher one first.
 * @param full whether this takes the place of whatever was asked before.
 */
export function encodeAsks(
  asks: readonly Ask[],
  { priority, full }: { priority: number; full: boolean },
): Uint8Array {
  const message = writer().fork()
  message.uint32(tag.wantlist).fork()
  for (const { cid, cancel } of asks) {
    message.uint32(tag.entry).fork()
    message.uint32(tag.block).bytes(cid)
    message.uint32(tag.priority).int32(priority)
    if (cancel) message.uint32(tag.cancel).bool(true)
    else message.uint32(tag.sendDontHave).bool(true)
    message.ldelim()
  }
  if (full) message.uint32(tag.full).bool(true)
  return message.ldelim().ldelim().finish()
}
