import { hash } from 'node:crypto'

/** SHA-256 of bytes that are in memory. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}
