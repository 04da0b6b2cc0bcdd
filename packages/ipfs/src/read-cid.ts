import {
  CidError,
  cidParts,
  identityCode,
  parseCid,
  sha256Code,
  type Cid,
  type CidParts,
} from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'

/**
 * A CID that content may be asked for by: with a SHA-256, or with the content in itself.
 * @throws RegistryError `CID_INVALID`.
 */
export function readCid(text: string): { cid: Cid; parts: CidParts } {
  try {
    const cid = parseCid(text)
    // A node that was asked for by its old name goes by it in the answer.
    const parts: CidParts = { ...cidParts(cid), version: text.startsWith('Qm') ? 0 : 1 }
    if (parts.hash === identityCode || (parts.hash === sha256Code && parts.digest.length === 32)) {
      return { cid, parts }
    }
  } catch (cause) {
    if (!(cause instanceof CidError)) throw cause
    throw new RegistryError('CID_INVALID', cause.message, { cause })
  }
  throw new RegistryError('CID_INVALID', 'Content is known here by CIDs with sha2-256, of 32 bytes.')
}
