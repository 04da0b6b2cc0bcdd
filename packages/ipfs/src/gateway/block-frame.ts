import { carFrameHead, encodeCid, type CidParts } from '@openregistry/dag'

/** A block as it stands in a CAR, in two chunks. */
export function* blockFrame(cid: CidParts, bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  yield carFrameHead(encodeCid(cid), bytes.length)
  yield bytes
}
