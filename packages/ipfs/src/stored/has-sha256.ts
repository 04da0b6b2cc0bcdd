import { sha256 as sha256Of } from '../sha256.ts'

/** What is hashed at once; the trip to a thread would take longer. */
const atOnce = 64 * 1024

/** Whether bytes have this SHA-256. A whole leaf is hashed on a thread. */
export async function hasSha256(bytes: Uint8Array, sha256: Uint8Array): Promise<boolean> {
  const found =
    bytes.length <= atOnce
      ? sha256Of(bytes)
      : new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return found.every((byte, index) => byte === sha256[index])
}
