import { maxBlockSize, type CidParts } from '@openregistry/dag'
import { BitswapError } from './bitswap-error.ts'
import { fields } from './fields.ts'
import { readCid } from './read-cid.ts'

/** What a peer says to a want: here is the block, or whether it has it. */
export type Answer = { readonly block: Uint8Array } | { readonly parts: CidParts; readonly has: boolean }

/** Numbers of fields (Bitswap 1.2, "Wire Format"). */
const messageField = { payload: 3, blockPresences: 4 } as const
const blockField = { data: 2 } as const
const presenceField = { cid: 1, type: 2 } as const
const presenceTypeHave = 0

/**
 * The answers in a message. Blocks are views of it. Which hash they have is computed, so what the message says of that is not
 * read; nor is what the peer wants itself.
 * @throws BitswapError when the message is none, or has what no answer has.
 */
export function* readAnswers(message: Uint8Array): Generator<Answer, void, undefined> {
  for (const { number, bytes } of fields(message)) {
    if (bytes === null) continue
    if (number === messageField.payload) yield { block: readBlock(bytes) }
    else if (number === messageField.blockPresences) yield readPresence(bytes)
  }
}

function readBlock(payload: Uint8Array): Uint8Array {
  let block = new Uint8Array()
  for (const { number, bytes } of fields(payload)) {
    if (number === blockField.data && bytes !== null) block = bytes as Uint8Array<ArrayBuffer>
  }
  if (block.length > maxBlockSize) throw new BitswapError('It gives a block that is too long.')
  return block
}

function readPresence(presence: Uint8Array): Answer {
  let [cid, type]: [Uint8Array | null, number] = [null, presenceTypeHave]
  for (const { number, value, bytes } of fields(presence)) {
    if (number === presenceField.cid) cid = bytes
    else if (number === presenceField.type) type = value
  }
  if (cid === null) throw new BitswapError('It says of nothing that it has it.')
  return { parts: readCid(cid), has: type === presenceTypeHave }
}
