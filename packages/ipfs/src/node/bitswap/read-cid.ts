import { decodeCid, type CidParts } from '@openregistry/dag'
import { BitswapError } from './bitswap-error.ts'

/** The CID that a message names. @throws BitswapError when it is none, or more than one. */
export function readCid(bytes: Uint8Array): CidParts {
  try {
    const { cid, size } = decodeCid(bytes)
    if (size === bytes.length) return cid
  } catch (cause) {
    throw new BitswapError('A message names a CID that is none.', { cause })
  }
  throw new BitswapError('A message names more than a CID.')
}
