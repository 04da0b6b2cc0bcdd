import { createHash, createHmac, webcrypto } from 'node:crypto'

/** Bytes from which on a digest is computed on a thread of Node's pool; less takes no longer than the way there. */
const large = 128 * 1024

type Source = string | ArrayBuffer | ArrayBufferView

/**
 * SHA-256 as the S3 client signs with: of the whole body of each part that is sent. A part is megabytes, which would stop
 * the event loop for tens of milliseconds.
 */
export class OffLoopSha256 {
  readonly #secret: Uint8Array | null
  #chunks: Uint8Array[] = []

  /** @param secret makes it an HMAC. */
  constructor(secret?: Source) {
    this.#secret = secret === undefined ? null : bytesOf(secret)
  }

  update(source: Source): void {
    this.#chunks.push(bytesOf(source))
  }

  async digest(): Promise<Uint8Array> {
    const [first] = this.#chunks
    if (this.#secret === null && this.#chunks.length === 1 && first !== undefined && first.length >= large) {
      return new Uint8Array(await webcrypto.subtle.digest('SHA-256', first as Uint8Array<ArrayBuffer>))
    }
    const hash = this.#secret === null ? createHash('sha256') : createHmac('sha256', this.#secret)
    for (const chunk of this.#chunks) hash.update(chunk)
    return hash.digest()
  }

  reset(): void {
    this.#chunks = []
  }
}

function bytesOf(source: Source): Uint8Array {
  if (typeof source === 'string') return Buffer.from(source)
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}
