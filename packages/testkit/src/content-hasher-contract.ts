import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafSize, type ContentHasher, type ContentHashes, type HashRun } from '@openregistry/core'
import { bytesOf } from './blob-store-contract/content.ts'

const sizes = [0, 1, 16 * 1024, leafSize - 1, leafSize, leafSize + 1, 5 * leafSize + 3]

/** What Node's own digests say, leaf by leaf. */
function expected(bytes: Uint8Array, sha512: boolean): ContentHashes {
  const digest = (algorithm: string, of: Uint8Array): Uint8Array =>
    new Uint8Array(createHash(algorithm).update(of).digest())
  const leaves: number[] = []
  for (let at = 0; at < bytes.length; at += leafSize) {
    leaves.push(...digest('sha256', bytes.subarray(at, at + leafSize)))
  }
  return {
    size: bytes.length,
    sha256: digest('sha256', bytes),
    sha512: sha512 ? digest('sha512', bytes) : null,
    leaves: Uint8Array.from(leaves),
  }
}

/** Hashes content as an upload does: one borrowed piece after the other, overwritten as soon as it is hashed. */
async function feed(hasher: ContentHasher, run: HashRun, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += leafSize) {
    const content = bytes.subarray(at, at + leafSize)
    const piece = hasher.acquire()
    piece.set(content)
    await run.update(content.length === leafSize ? piece : piece.subarray(0, content.length))
    piece.fill(0xee)
    hasher.release(piece)
  }
}

async function hashOf(hasher: ContentHasher, bytes: Uint8Array, sha512: boolean): Promise<ContentHashes> {
  using run = hasher.begin({ sha512 })
  await feed(hasher, run, bytes)
  return await run.finish()
}

/** Everything the port `ContentHasher` promises. */
export function contentHasherContract(name: string, open: () => ContentHasher): void {
  describe(`ContentHasher contract: ${name}`, () => {
    test.each(sizes)('%i bytes, with and without sha512, in a run and inline', async (size) => {
      await using hasher = open()
      const bytes = bytesOf(size)
      for (const sha512 of [false, true]) {
        expect(await hashOf(hasher, bytes, sha512)).toEqual(expected(bytes, sha512))
        expect(hasher.hashInline(bytes, { sha512 })).toEqual(expected(bytes, sha512))
      }
    })

    test('a leaf by itself, in memory of either kind, beside runs', async () => {
      await using hasher = open()
      const bytes = bytesOf(3 * leafSize)
      using run = hasher.begin({ sha512: false })
      const feeding = feed(hasher, run, bytes)
      for (const size of [1, 16 * 1024, leafSize - 1, leafSize]) {
        const content = bytesOf(size, size)
        const lent = hasher.acquire()
        lent.set(content)
        const leaf = expected(content, false).leaves
        expect(await hasher.hashLeaf(content)).toEqual(leaf)
        expect(await hasher.hashLeaf(lent.subarray(0, size))).toEqual(leaf)
        hasher.release(lent)
      }
      await feeding
      expect(await run.finish()).toEqual(expected(bytes, false))
    })

    test('pieces may be given without waiting; they count in the order of the calls', async () => {
      await using hasher = open()
      const bytes = bytesOf(6 * leafSize + 5)
      using run = hasher.begin({ sha512: true })
      const updates: Promise<void>[] = []
      for (let at = 0; at < bytes.length; at += leafSize)
        updates.push(run.update(bytes.slice(at, at + leafSize)))
      const hashes = await run.finish()
      await Promise.all(updates)
      expect(hashes).toEqual(expected(bytes, true))
    })

    test('many runs at once do not mix', async () => {
      await using hasher = open()
      const contents = Array.from({ length: 12 }, (_, index) =>
        bytesOf(2 * leafSize + index * 1000, index + 1),
      )
      const hashes = await Promise.all(contents.map((bytes, index) => hashOf(hasher, bytes, index % 3 === 0)))
      expect(hashes).toEqual(contents.map((bytes, index) => expected(bytes, index % 3 === 0)))
    })

    test('any sizes, interleaved in any way', async () => {
      await using hasher = open()
      const anySize = fc.oneof(
        fc.nat(1000),
        fc.constantFrom(leafSize, leafSize + 1, 2 * leafSize),
        fc.nat(3_000_000),
      )
      const runs = fc.array(fc.tuple(anySize, fc.boolean()), { minLength: 1, maxLength: 4 })
      const property = fc.asyncProperty(runs, fc.scheduler(), async (wanted, scheduler) => {
        const hashing = wanted.map(async ([size, sha512], index) => {
          await scheduler.schedule(Promise.resolve())
          const bytes = bytesOf(size, index + 1)
          expect(await hashOf(hasher, bytes, sha512)).toEqual(expected(bytes, sha512))
        })
        await scheduler.waitFor(Promise.all(hashing))
      })
      await fc.assert(property, { numRuns: 15 })
    })

    test('a run that is left in the middle disturbs nobody', async () => {
      await using hasher = open()
      const bytes = bytesOf(2 * leafSize)
      for (let round = 0; round < 5; round++) {
        using left = hasher.begin({ sha512: false })
        await feed(hasher, left, bytes)
        using untouched = hasher.begin({ sha512: true })
        untouched[Symbol.dispose]()
      }
      expect(await hashOf(hasher, bytes, false)).toEqual(expected(bytes, false))
    })

    test('a run ends once, and only its last piece may be short', async () => {
      await using hasher = open()
      using run = hasher.begin({ sha512: false })
      await run.update(bytesOf(10))
      await expect(run.update(bytesOf(10))).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(run.update(bytesOf(leafSize + 1))).rejects.toMatchObject({ code: 'INTERNAL' })
      expect(await run.finish()).toEqual(expected(bytesOf(10), false))
      await expect(run.finish()).rejects.toMatchObject({ code: 'INTERNAL' })
      await expect(run.update(bytesOf(10))).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    test('a piece has one owner at a time', async () => {
      await using hasher = open()
      const pieces = Array.from({ length: 40 }, () => hasher.acquire())
      expect(new Set(pieces.map((piece) => piece.buffer)).size).toBe(40)
      for (const piece of pieces) expect(piece.length).toBe(leafSize)
      for (const piece of pieces) hasher.release(piece)
      for (const piece of pieces) expect(() => hasher.release(piece)).toThrow()
      expect(() => hasher.release(new Uint8Array(leafSize))).toThrow()
    })
  })
}
