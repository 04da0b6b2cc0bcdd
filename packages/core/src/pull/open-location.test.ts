import { createHash } from 'node:crypto'
import { faultBlobStore, randomFrom } from '@openregistry/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BlobStore, ByteRange, ObjectReader } from '../ports/blob-store.ts'
import { leafSize, type ContentHasher } from '../ports/content-hasher.ts'
import type { LeafRange } from '../ports/metadata-store.ts'
import type { LocationDamage } from '../ports/scrub.ts'
import { newStorageKey, newUploadId } from '../ports/storage-key.ts'
import type { Ports } from '../settings.ts'
import { openLocation } from './open-location.ts'

const size = 3 * leafSize + 12_345
const bytes = new Uint8Array(randomFrom('verified').bytes(size))
const location = { kind: 'object', backend: 'far', key: newStorageKey(newUploadId()) } as const

const sha256 = (content: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(content).digest())

/** One object, in chunks of any size, with readers that know whether they were closed. */
class OneObject {
  readonly backend = 'far'
  chunkSize = 64 * 1024
  open = (_key: unknown, range: ByteRange = { offset: 0, length: size }): Promise<ObjectReader> => {
    this.opened.push(range)
    this.unclosed++
    const end = range.offset + range.length
    const { chunkSize } = this
    async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let at = range.offset; at < end; at += chunkSize)
        yield bytes.slice(at, Math.min(at + chunkSize, end))
    }
    const close = (): Promise<void> => Promise.resolve(void this.unclosed--)
    return Promise.resolve({ size, chunks: chunks(), [Symbol.asyncDispose]: close })
  }
  readonly opened: ByteRange[] = []
  unclosed = 0
}

/** A hasher that counts the buffers that are lent. */
class Hasher {
  lent = 0
  hashed = 0
  acquire = (): Uint8Array => (this.lent++, new Uint8Array(leafSize))
  release = (piece: Uint8Array): void => (this.lent--, void piece.fill(0xdd))
  hashLeaf = async (piece: Uint8Array): Promise<Uint8Array> => {
    this.hashed++
    await new Promise((resolve) => setImmediate(resolve))
    return sha256(piece)
  }
}

let object: OneObject
let hasher: Hasher
let damages: LocationDamage[]
let gone: boolean

beforeEach(() => {
  object = new OneObject()
  hasher = new Hasher()
  damages = []
  gone = false
})

const metadata = {
  readLeaves({ first, count }: LeafRange): Promise<Uint8Array | null> {
    if (gone) return Promise.resolve(null)
    const leaves = Array.from({ length: count }, (_, index) =>
      sha256(bytes.subarray((first + index) * leafSize, (first + index + 1) * leafSize)),
    )
    return Promise.resolve(new Uint8Array(Buffer.concat(leaves)))
  },
  recordDamage: (damage: LocationDamage): Promise<null> => (damages.push(damage), Promise.resolve(null)),
}

function portsOf(store: unknown): Pick<Ports, 'backends' | 'hasher' | 'metadata'> {
  return {
    backends: new Map([['far', store as BlobStore]]),
    hasher: hasher as unknown as ContentHasher,
    metadata: metadata as unknown as Ports['metadata'],
  }
}

/** Reads until the end or an error, and closes. */
async function read(
  store: unknown,
  range: ByteRange | null = null,
): Promise<{ got: Uint8Array; error: unknown } | string> {
  const reader = await openLocation(portsOf(store), { location, size, range })
  if (typeof reader === 'string') return reader
  const chunks: Uint8Array[] = []
  let error: unknown = null
  try {
    for await (const chunk of reader.chunks) chunks.push(new Uint8Array(chunk))
  } catch (thrown) {
    error = thrown
  }
  await reader[Symbol.asyncDispose]()
  return { got: Buffer.concat(chunks), error }
}

/** `toEqual` compares element by element, which takes seconds for megabytes. */
function expectBytes(answer: { got: Uint8Array; error: unknown } | string, from: number, to: number): void {
  if (typeof answer === 'string') throw new Error(answer)
  expect(answer.error).toBeNull()
  expect(Buffer.compare(answer.got, bytes.subarray(from, to))).toBe(0)
}

const faulty = () => faultBlobStore(object as unknown as BlobStore)

/** Buffers come back once their hashing has ended. */
async function expectNothingHeld(): Promise<void> {
  await expect.poll(() => hasher.lent).toBe(0)
  expect(object.unclosed).toBe(0)
}

test('any range, from chunks of any size, comes as it is', async () => {
  const ranges = fc
    .tuple(fc.nat(size - 1), fc.nat(size - 1))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const)
  const edges = fc.constantFrom(
    ...([
      [0, size],
      [0, 1],
      [leafSize - 1, leafSize + 1],
      [leafSize, 2 * leafSize],
      [size - 1, size],
    ] as const),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(ranges, edges),
      fc.integer({ min: 5000, max: 2 * leafSize }),
      async ([from, to], chunk) => {
        object.chunkSize = chunk
        const answer = await read(object, { offset: from, length: to - from })
        expectBytes(answer, from, to)
        await expectNothingHeld()
      },
    ),
    { numRuns: 40 },
  )
})

test('a range is widened to the leaves that it touches, and no further', async () => {
  await read(object, { offset: leafSize + 5, length: leafSize })
  await read(object, { offset: 3 * leafSize + 1, length: 1 })
  await read(object, null)
  expect(object.opened).toEqual([
    { offset: leafSize, length: 2 * leafSize },
    { offset: 3 * leafSize, length: 12_345 },
    { offset: 0, length: size },
  ])
  expect(hasher.hashed).toBe(2 + 1 + 4)
})

describe('a backend that lies', () => {
  test('in the first leaf: nothing of it is given, and the caller marks it', async () => {
    const store = faulty()
    store.faults.wrongByteAt = 77
    expect(await read(store)).toBe('damaged')
    expect(damages).toEqual([])
    await expectNothingHeld()
  })

  test('in a later leaf: those before it are given, then comes an error, and it is marked', async () => {
    const store = faulty()
    store.faults.wrongByteAt = 2 * leafSize + 9
    const answer = await read(store)
    expect(answer).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } })
    expectBytes({ ...(answer as { got: Uint8Array }), error: null }, 0, 2 * leafSize)
    expect(damages).toEqual([{ state: 'damaged', at: location }])
    await expectNothingHeld()
  })

  test('in a leaf of which only other bytes were asked for', async () => {
    const store = faulty()
    store.faults.wrongByteAt = leafSize + 9
    expect(await read(store, { offset: leafSize + 100, length: 10 })).toBe('damaged')
    const elsewhere = { offset: 2 * leafSize, length: 10 }
    expect(await read(store, elsewhere)).toMatchObject({ error: null })
  })

  test('about the end: an error, and no mark, since a broken connection looks the same', async () => {
    const store = faulty()
    for (const end of [0, leafSize + 1, 2 * leafSize, size - 1]) {
      store.faults.endReadAt = end
      const answer = await read(store).catch((error: unknown) => ({ got: Buffer.alloc(0), error }))
      expect(answer).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } })
      const got = (answer as { got: Uint8Array }).got
      expect(got.length).toBe(end - (end % leafSize))
    }
    expect(damages).toEqual([])
    await expectNothingHeld()
  })

  test('about the size, or that the object is there', async () => {
    const store = faulty()
    store.faults.shrinkTo = 10
    expect(await read(store)).toBe('damaged')
    expect(await read(store, { offset: 100, length: 10 })).toBe('damaged')
    store.faults.shrinkTo = null
    store.faults.lost = true
    expect(await read(store)).toBe('missing')
    await expectNothingHeld()
  })
})

test('more bytes than were asked for are refused', async () => {
  const generous = { open: () => object.open(null, { offset: 0, length: size }) }
  const answer = await read(generous, { offset: 0, length: leafSize })
  expect(answer).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } })
  await expectNothingHeld()
})

test('an object that is no good location any more is missing', async () => {
  gone = true
  expect(await read(object)).toBe('missing')
  await expectNothingHeld()
})

test('a read that fails is an error, and no mark', async () => {
  const store = faulty()
  store.faults.failReadAt = leafSize + 5
  expect(await read(store)).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } })
  store.faults.failReadAt = 5
  await expect(read(store)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(damages).toEqual([])
  await expectNothingHeld()
})

test('a reader that nobody reads holds nothing once it is closed', async () => {
  const reader = await openLocation(portsOf(object), { location, size, range: null })
  if (typeof reader === 'string') throw new Error(reader)
  await reader[Symbol.asyncDispose]()
  await expectNothingHeld()
})

test('a trusted backend is read as it is', async () => {
  const trusted = Object.assign(object, { trusted: true })
  expect(await read(trusted, { offset: 5, length: 10 })).toMatchObject({ error: null })
  expect(hasher.hashed).toBe(0)
  expect(object.opened).toEqual([{ offset: 5, length: 10 }])
})
