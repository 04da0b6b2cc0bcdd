import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafSize, type ContentHasher, type ContentHashes, type HashRun } from '../ports/content-hasher.ts'
import { pieces } from './pieces.ts'

/** A hasher that counts its buffers and fills those that come back, so that a late reader sees rubbish. */
class CountingHasher implements ContentHasher {
  out = 0
  most = 0
  acquire(): Uint8Array {
    this.most = Math.max(this.most, ++this.out)
    return new Uint8Array(leafSize)
  }
  release(piece: Uint8Array): void {
    this.out--
    piece.fill(0xdd)
  }
  hashInline(): ContentHashes {
    throw new Error('not needed')
  }
  hashLeaf(): Promise<Uint8Array> {
    throw new Error('not needed')
  }
  begin(): HashRun & { hex(): string } {
    const hash = createHash('sha256')
    return {
      // As a thread does: the memory is read some time after the call.
      update: (piece) => new Promise((done) => setImmediate(() => (hash.update(piece), done()))),
      finish: () => Promise.reject(new Error('not needed')),
      hex: () => hash.digest('hex'),
      [Symbol.dispose]: () => undefined,
    }
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    const chunk = bytes.slice(at, at + size)
    yield chunk
    // The sender's memory is its own again.
    chunk.fill(0xee)
    at += size
  }
}

const settle = () => new Promise((done) => setTimeout(done, 5))

describe('pieces', () => {
  test('gives the bytes in leaves, hashed in order, and all buffers back', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3 * leafSize }), { minLength: 1, maxLength: 4 })
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 5 * leafSize }),
      fc.constantFrom(leafSize, 2 * leafSize),
    )
    await fc.assert(
      fc.asyncProperty(lengths, sizes, async (length, chunkSizes) => {
        const bytes = new Uint8Array(length).map((_, index) => (index * 7 + (index >> 12)) & 0xff)
        const hasher = new CountingHasher()
        const run = hasher.begin()
        const taken: Uint8Array[] = []
        for await (const piece of pieces(chunksOf(bytes, chunkSizes), { hasher, run, limit: 0 })) {
          taken.push(piece.slice())
        }
        expect(Buffer.concat(taken).equals(bytes)).toBe(true)
        for (const piece of taken.slice(0, -1)) expect(piece.length).toBe(leafSize)
        expect(run.hex()).toBe(createHash('sha256').update(bytes).digest('hex'))
        await settle()
        expect(hasher.out).toBe(0)
        expect(hasher.most).toBeLessThanOrEqual(4)
      }),
      { numRuns: 25 },
    )
  })

  test('reads no more than a few pieces ahead of a slow store', async () => {
    let sent = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      while (true) {
        sent++
        yield new Uint8Array(leafSize)
      }
    }
    const hasher = new CountingHasher()
    const cut = pieces(endless(), { hasher, run: null, limit: 0 })
    await cut.next()
    await settle()
    expect(sent).toBeLessThanOrEqual(4)
    await cut.return()
    await settle()
    expect(hasher.out).toBe(0)
  })

  test('refuses content past the limit, and passes a fault of the source on', async () => {
    const hasher = new CountingHasher()
    const collect = async (source: AsyncIterable<Uint8Array>, limit: number) => {
      for await (const piece of pieces(source, { hasher, run: null, limit })) void piece
    }
    await expect(collect(chunksOf(new Uint8Array(3 * leafSize), [1000]), 2 * leafSize)).rejects.toMatchObject(
      {
        code: 'BLOB_TOO_LARGE',
      },
    )
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(100)
      throw new Error('the cable')
    }
    await expect(collect(broken(), 0)).rejects.toThrow('the cable')
    await settle()
    expect(hasher.out).toBe(0)
  })

  test('a consumer that leaves early does not wait for a client that sends nothing', async () => {
    const hasher = new CountingHasher()
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(leafSize)
      await new Promise(() => undefined)
    }
    const cut = pieces(silent(), { hasher, run: null, limit: 0 })
    await cut.next()
    await cut.return()
  })
})
