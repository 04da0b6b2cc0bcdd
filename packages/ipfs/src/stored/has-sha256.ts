import { sameBytes } from '@openregistry/dag'
import { sha256 as sha256Of } from '../sha256.ts'

/** Whether bytes have this SHA-256. They are hashed at once, so they are few. */
export function hasSha256(bytes: Uint8Array, sha256: Uint8Array): boolean {
  return sameBytes(sha256Of(bytes), sha256)
}
