import { writer } from 'protons-runtime'
import { hasPresences } from './protocols.ts'
import type { Want } from './wantlist.ts'

/** Answers to wants that leave as one message. */
export interface Response {
  readonly blocks: readonly { want: Want; bytes: Uint8Array }[]
  readonly presences: readonly { want: Want; has: boolean }[]
}

/** Tags of fields (Bitswap 1.2, "Wire Format"): three bits say that bytes or a number follow. */
const tag = {
  payload: (3 << 3) | 2,
  prefix: (1 << 3) | 2,
  data: (2 << 3) | 2,
  blockPresences: (4 << 3) | 2,
  cid: (1 << 3) | 2,
  type: (2 << 3) | 0,
} as const
const presenceType = { have: 0, dontHave: 1 } as const

/** The message, with its length in front as it goes over a stream. Null when this protocol has no words for it. */
export function encodeResponse({ blocks, presences }: Response, protocol: string): Uint8Array | null {
  const told = hasPresences(protocol) ? presences : []
  if (blocks.length === 0 && told.length === 0) return null
  const message = writer().fork()
  for (const { want, bytes } of blocks) {
    message.uint32(tag.payload).fork()
    message.uint32(tag.prefix).bytes(prefixOf(want))
    message.uint32(tag.data).bytes(bytes)
    message.ldelim()
  }
  for (const { want, has } of told) {
    message.uint32(tag.blockPresences).fork()
    message.uint32(tag.cid).bytes(want.cid)
    message.uint32(tag.type).uint32(has ? presenceType.have : presenceType.dontHave)
    message.ldelim()
  }
  return message.ldelim().finish()
}

/** A CID without its digest, from which the receiver computes the rest. Version 0 is written out. */
function prefixOf({ cid, parts }: Want): Uint8Array {
  if (parts.version === 0) return Uint8Array.of(0, parts.codec, parts.hash, parts.digest.length)
  return cid.subarray(0, cid.length - parts.digest.length)
}
