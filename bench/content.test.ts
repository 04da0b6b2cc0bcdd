import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { blobOf, pieceSize, prepareBlob, type PreparedBlob } from './content.ts'

function bytesOf(blob: PreparedBlob): Buffer {
  return Buffer.concat([...blob.pieces()].flat())
}

describe('prepareBlob', () => {
  test.each([0, 1, 16, 17, 10_240, pieceSize, pieceSize + 1, 3 * pieceSize + 5])(
    'of %i bytes has that size and its digest',
    (size) => {
      const blob = prepareBlob(1, size)
      const bytes = bytesOf(blob)
      expect(bytes.length).toBe(size)
      expect(blob.digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    },
  )

  test('never makes two equal leaves, within a blob nor between blobs', () => {
    const leaves = [prepareBlob(1, 20 * pieceSize), prepareBlob(2, 20 * pieceSize)].flatMap((blob) =>
      [...blob.pieces()].map((buffers) => createHash('sha1').update(Buffer.concat(buffers)).digest('hex')),
    )
    expect(new Set(leaves).size).toBe(40)
  })
})

describe('blobOf', () => {
  test('keeps the bytes', () => {
    expect(bytesOf(blobOf(Buffer.from('{}'))).toString()).toBe('{}')
    expect(bytesOf(blobOf(Buffer.alloc(0))).length).toBe(0)
  })
})
