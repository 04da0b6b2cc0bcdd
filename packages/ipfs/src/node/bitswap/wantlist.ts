import { maxCidSize, type CidParts } from '@openregistry/dag'
import { BitswapError } from './bitswap-error.ts'
import { fields } from './fields.ts'
import { readCid } from './read-cid.ts'

/** What a peer asks for. */
export interface Want {
  /** The CID as it was asked for, which the answer repeats. */
  readonly cid: Uint8Array
  readonly parts: CidParts
  /** The block itself, or only whether it is there. */
  readonly type: 'block' | 'have'
  /** Whether the peer wants to hear that it is not there. */
  readonly sendDontHave: boolean
}

/** One entry of a wantlist: something is wanted, or not any more. */
export type WantlistEntry =
  { readonly cancel: true; readonly cid: Uint8Array } | ({ readonly cancel: false } & Want)

/** Numbers of fields (Bitswap 1.2, "Wire Format"). */
const messageField = { wantlist: 1 } as const
const wantlistField = { entries: 1, full: 2 } as const
const entryField = { block: 1, cancel: 3, wantType: 4, sendDontHave: 5 } as const
const wantTypeHave = 1

/** Whether the wantlist of a message takes the place of what was asked before. @throws BitswapError */
export function isFullWantlist(message: Uint8Array): boolean {
  for (const list of wantlists(message)) {
    for (const { number, value } of fields(list))
      if (number === wantlistField.full && value !== 0) return true
  }
  return false
}

/**
 * The entries of the wantlist of a message, in the order in which they are written. Blocks and everything else in it are
 * passed over: nothing is asked of peers here, so nothing that they send is taken. Priorities are not read either: what is
 * asked first is answered first, which is what clients use them for.
 * @throws BitswapError when the message is none, or names a CID that is none.
 */
export function* wantlistEntries(message: Uint8Array): Generator<WantlistEntry, void, undefined> {
  for (const list of wantlists(message)) {
    for (const { number, bytes } of fields(list)) {
      if (number === wantlistField.entries && bytes !== null) yield readEntry(bytes)
    }
  }
}

function* wantlists(message: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (const { number, bytes } of fields(message)) {
    if (number === messageField.wantlist && bytes !== null) yield bytes
  }
}

function readEntry(entry: Uint8Array): WantlistEntry {
  let [block, cancel, wantType, sendDontHave]: [Uint8Array | null, number, number, number] = [null, 0, 0, 0]
  for (const { number, value, bytes } of fields(entry)) {
    if (number === entryField.block) block = bytes
    else if (number === entryField.cancel) cancel = value
    else if (number === entryField.wantType) wantType = value
    else if (number === entryField.sendDontHave) sendDontHave = value
  }
  if (block === null || block.length > maxCidSize) throw new BitswapError('A want has no CID.')
  // A view would keep the whole message in memory for as long as the want waits.
  const cid = new Uint8Array(block)
  if (cancel !== 0) return { cancel: true, cid }
  const type = wantType === wantTypeHave ? 'have' : 'block'
  return { cancel: false, cid, parts: readCid(cid), type, sendDontHave: sendDontHave !== 0 }
}
