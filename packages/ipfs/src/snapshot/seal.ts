import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { SnapshotError } from './snapshot-error.ts'

/** What makes blocks unreadable to all who lack the key, and readable again. */
export interface Seal {
  close(plain: Uint8Array): Uint8Array
  /** @throws SnapshotError when it was closed with another key, or changed. */
  open(sealed: Uint8Array): Uint8Array
}

const markSize = 32
const tagSize = 16
/** Each content has a key of its own, so the nonce need not differ. */
const nonce = new Uint8Array(12)

/**
 * Seals blocks with AES-256-GCM. The same content is sealed into the same bytes, so that snapshots share what did not
 * change: the key of a block follows from a MAC of its content, which stands before it. Who has no key learns sizes, and which
 * blocks two snapshots share.
 * @param secret 32 bytes.
 */
export function createSeal(secret: Uint8Array): Seal {
  const mark = (plain: Uint8Array): Buffer => hmac(hmac(secret, 'mark'), plain)
  const keyOf = (marked: Uint8Array): Buffer => hmac(hmac(secret, 'key'), marked)
  return {
    close(plain) {
      const marked = mark(plain)
      const cipher = createCipheriv('aes-256-gcm', keyOf(marked), nonce)
      return new Uint8Array(
        Buffer.concat([marked, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
      )
    },
    open(sealed) {
      if (sealed.length < markSize + tagSize) throw broken()
      const marked = sealed.subarray(0, markSize)
      const decipher = createDecipheriv('aes-256-gcm', keyOf(marked), nonce)
      decipher.setAuthTag(sealed.subarray(sealed.length - tagSize))
      try {
        const plain = Buffer.concat([
          decipher.update(sealed.subarray(markSize, sealed.length - tagSize)),
          decipher.final(),
        ])
        if (timingSafeEqual(mark(plain), marked)) return new Uint8Array(plain)
      } catch (cause) {
        throw broken(cause)
      }
      throw broken()
    },
  }
}

function hmac(key: Uint8Array, content: Uint8Array | string): Buffer {
  return createHmac('sha256', key).update(content).digest()
}

function broken(cause?: unknown): SnapshotError {
  return new SnapshotError('A block of the snapshot was sealed with another keys file, or is damaged.', {
    cause,
  })
}
