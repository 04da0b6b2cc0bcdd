import { createHash, randomBytes } from 'node:crypto'

/** Size in bytes of the pieces in which content is made and sent. */
export const pieceSize = 1024 * 1024

/** Content of which the digest is known before the clock starts. */
export interface PreparedBlob {
  /** `sha256:…` */
  digest: string
  /** In bytes. */
  size: number
  /** The content, piece by piece; the buffers of one piece follow each other without a gap. */
  pieces(): Iterable<readonly Buffer[]>
}

/** Enough different random bytes that no compressing file system sees a repetition nearby. */
const base = randomBytes(16 * pieceSize)
/** So that two processes never make the same blob. */
const salt = randomBytes(8)
const headerSize = 16

/**
 * One piece: 16 bytes that no other piece of this process has, then random bytes shared by many pieces. Making it costs
 * nothing while the clock runs, and still no registry can find two equal blobs, nor two equal leaves, to store once.
 */
function piece(seed: number, index: number, size: number): readonly Buffer[] {
  const header = Buffer.alloc(headerSize)
  salt.copy(header)
  header.writeUInt32BE(seed, 8)
  header.writeUInt32BE(index, 12)
  if (size <= headerSize) return [header.subarray(headerSize - size)]
  const start = (index % 16) * pieceSize
  return [header, base.subarray(start + headerSize, start + size)]
}

/**
 * Content that is unique for its seed in this process.
 *
 * @param seed below 2^32
 * @param size in bytes
 */
export function prepareBlob(seed: number, size: number): PreparedBlob {
  function* pieces(): Generator<readonly Buffer[]> {
    for (let offset = 0, index = 0; offset < size; offset += pieceSize, index++) {
      yield piece(seed, index, Math.min(pieceSize, size - offset))
    }
  }
  const hash = createHash('sha256')
  for (const buffers of pieces()) for (const buffer of buffers) hash.update(buffer)
  return { digest: `sha256:${hash.digest('hex')}`, size, pieces }
}

/** A small JSON document or other ready bytes as content to push. */
export function blobOf(bytes: Buffer): PreparedBlob {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  return { digest, size: bytes.length, pieces: () => (bytes.length === 0 ? [] : [[bytes]]) }
}
