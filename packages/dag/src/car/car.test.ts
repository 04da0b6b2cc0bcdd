import { createHash } from 'node:crypto'
import { CarReader as ReferenceReader, CarWriter as ReferenceWriter } from '@ipld/car'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { cidParts, encodeCid, formatCid } from '../cid-parts.ts'
import { parseCid, rawCid, type Cid } from '../cid.ts'
import { CarError } from './car-error.ts'
import { readCar } from './car-reader.ts'
import { carFrameHead, carHeader } from './car-writer.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

interface Block {
  cid: Cid
  bytes: Uint8Array
}

const rawBlock = (bytes: Uint8Array): Block => ({ cid: rawCid(sha256(bytes)), bytes: Uint8Array.from(bytes) })
const identityBlock = (bytes: Uint8Array): Block => ({
  cid: formatCid({ version: 1, codec: 0x55, hash: 0, digest: bytes }),
  bytes,
})

const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength })
const block = fc.oneof(bytesUpTo(300).map(rawBlock), bytesUpTo(128).map(identityBlock))
const car = fc.record({
  roots: fc.array(
    block.map(({ cid }) => cid),
    { maxLength: 5 },
  ),
  blocks: fc.array(block),
})

function write(roots: Cid[], blocks: Block[]): Buffer {
  const frames = blocks.flatMap(({ cid, bytes }) => [
    carFrameHead(encodeCid(cidParts(cid)), bytes.length),
    bytes,
  ])
  return Buffer.concat([carHeader(roots), ...frames])
}

/** What another writer makes of the same. */
async function writeByReference(roots: Cid[], blocks: Block[]): Promise<Uint8Array> {
  const { writer, out } = ReferenceWriter.create(roots.map((root) => CID.parse(root)))
  const chunks: Uint8Array[] = []
  const collected = (async () => {
    for await (const chunk of out) chunks.push(chunk)
  })()
  for (const { cid, bytes } of blocks) await writer.put({ cid: CID.parse(cid), bytes })
  await writer.close()
  await collected
  return Buffer.concat(chunks)
}

/** The bytes in chunks of one buffer that is written again each time, as drivers hand them out. */
async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size)
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size)
    buffer.set(part)
    yield buffer.subarray(0, part.length)
    buffer.fill(0xee)
  }
}

/** All of a CAR, or the message of what is wrong with it. */
async function read(bytes: Uint8Array, chunkSize = 64): Promise<{ roots: Cid[]; blocks: Block[] } | string> {
  try {
    await using reader = await readCar(inChunks(bytes, chunkSize), { sha256 })
    const blocks: Block[] = []
    for await (const found of reader.blocks)
      blocks.push({ cid: found.cid, bytes: Uint8Array.from(found.bytes) })
    return { roots: [...reader.roots], blocks }
  } catch (error) {
    if (error instanceof CarError) return error.message
    throw error
  }
}

describe('a CAR that was written', () => {
  test('is the one that another writer makes', async () => {
    await fc.assert(
      fc.asyncProperty(car, async ({ roots, blocks }) => {
        expect(write(roots, blocks).equals(await writeByReference(roots, blocks))).toBe(true)
      }),
    )
  })

  test('is read again, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(car, fc.integer({ min: 1, max: 2000 }), async ({ roots, blocks }, chunkSize) => {
        expect(await read(write(roots, blocks), chunkSize)).toEqual({ roots, blocks })
      }),
    )
  })

  test('is read by another reader', async () => {
    const blocks = [rawBlock(Buffer.from('one')), rawBlock(new Uint8Array())]
    const reader = await ReferenceReader.fromBytes(write([blocks[0]!.cid], blocks))
    expect((await reader.getRoots()).map(String)).toEqual([blocks[0]!.cid])
    const found: string[] = []
    for await (const { cid } of reader.blocks()) found.push(cid.toString())
    expect(found).toEqual(blocks.map(({ cid }) => cid))
  })

  test('keeps blocks under their old CIDs', async () => {
    const old = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG'
    const bytes = await writeByReference([old as Cid], [])
    expect(await read(bytes)).toEqual({ roots: [parseCid(old)], blocks: [] })
  })
})

describe('a broken CAR', () => {
  const blocks = [rawBlock(Buffer.from('first')), rawBlock(Buffer.from('second'))]
  const good = write([blocks[0]!.cid], blocks)

  test('is refused wherever it ends early', async () => {
    const ends = [carHeader([blocks[0]!.cid]).length]
    ends.push(ends[0]! + 1 + 36 + 5, good.length)
    for (let end = 0; end <= good.length; end++) {
      expect([end, typeof (await read(good.subarray(0, end)))]).toEqual([
        end,
        ends.includes(end) ? 'object' : 'string',
      ])
    }
  })

  test('is refused when any bit of it is another', async () => {
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Uint8Array.from(good)
      bad[bit >> 3]! ^= 1 << (bit & 7)
      const found = await read(bad)
      // A root, or the codec of a CID, may be anything; bytes may not.
      if (typeof found !== 'string')
        expect(found.blocks.map(({ bytes }) => bytes)).toEqual(blocks.map(({ bytes }) => bytes))
    }
  })

  test('gives what is right before what is wrong', async () => {
    const wrong = { cid: blocks[1]!.cid, bytes: Buffer.from('sEcond') }
    await using reader = await readCar(inChunks(write([], [blocks[0]!, wrong]), 50), { sha256 })
    const iterator = reader.blocks[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toMatchObject({ cid: blocks[0]!.cid })
    await expect(iterator.next()).rejects.toThrow(`The block ${wrong.cid} of the CAR has other bytes`)
  })

  test('never makes the reader fail in another way', async () => {
    const edits = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(edits, fc.nat({ max: good.length }), async (changes, end) => {
        const bad = Uint8Array.from(good)
        for (const [at, byte] of changes) bad[at] = byte
        await read(bad.subarray(0, end))
      }),
      { numRuns: 1000 },
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => void (await read(bytes))),
    )
  })

  test.each([
    [
      'a header without end',
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      'The header of the CAR is larger than 65536 bytes.',
    ],
    ['a length that is longer than needed', [0x81, 0], 'A length in the CAR is overlong.'],
    ['a length without end', Array.from({ length: 30 }, () => 0x80), 'A length in the CAR is too large.'],
    ['an empty file', [], 'The CAR is empty.'],
  ])('with %s', async (_what, bytes, message) => {
    expect(await read(Uint8Array.from(bytes))).toBe(message)
  })

  test.each([
    [
      'a block of more than 2 MiB',
      rawBlock(new Uint8Array(2 * 1024 * 1024 + 1)),
      'A block of the CAR is larger than',
    ],
    [
      'sha2-512',
      {
        cid: formatCid({ version: 1, codec: 0x55, hash: 0x13, digest: new Uint8Array(64) }),
        bytes: new Uint8Array(),
      },
      'A block of the CAR has hash function 0x13',
    ],
    [
      'a hash that is cut',
      {
        cid: formatCid({
          version: 1,
          codec: 0x55,
          hash: 0x12,
          digest: sha256(new Uint8Array()).subarray(0, 8),
        }),
        bytes: new Uint8Array(),
      },
      'has other bytes than its CID says',
    ],
  ])('with %s', async (_what, bad, message) => {
    expect(await read(write([], [bad]), 70_000)).toContain(message)
  })

  test('with a block that is announced as endless is refused before it is read', async () => {
    const endless = (async function* () {
      yield Buffer.concat([carHeader([]), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])])
      throw new Error('more was read')
    })()
    await using reader = await readCar(endless, { sha256 })
    await expect(reader.blocks[Symbol.asyncIterator]().next()).rejects.toThrow('is larger than 2097152 bytes')
  })
})

test('the source is closed with the reader, and at once when it is no CAR', async () => {
  let closed = 0
  const source = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield bytes
    } finally {
      closed++
    }
  }
  await (await readCar(source(carHeader([])), { sha256 }))[Symbol.asyncDispose]()
  expect(closed).toBe(1)
  await expect(readCar(source(Buffer.from('no CAR')), { sha256 })).rejects.toThrow(CarError)
  expect(closed).toBe(2)
})

describe('a CAR of version 2', () => {
  const blocks = [rawBlock(Buffer.from('inside'))]
  const payload = write([blocks[0]!.cid], blocks)

  function wrap({ offset = 51, size = payload.length, content = payload as Uint8Array } = {}): Uint8Array {
    const fields = Buffer.alloc(40)
    fields.writeBigUInt64LE(BigInt(offset), 16)
    fields.writeBigUInt64LE(BigInt(size), 24)
    const gap = Buffer.alloc(Math.max(0, Math.min(1000, offset - 51)))
    return Buffer.concat([
      Buffer.from('0aa16776657273696f6e02', 'hex'),
      fields,
      gap,
      content,
      Buffer.from('an index'),
    ])
  }

  test.each([51, 52, 500])('is read from offset %i', async (offset) => {
    expect(await read(wrap({ offset }), 7)).toEqual({ roots: [blocks[0]!.cid], blocks })
  })

  test('is one for the other reader too', async () => {
    const reader = await ReferenceReader.fromBytes(wrap())
    expect((await reader.getRoots()).map(String)).toEqual([blocks[0]!.cid])
  })

  test.each([
    ['an offset within its own header', { offset: 50 }, 'lies where it cannot lie'],
    ['a size that cuts a block', { size: payload.length - 1 }, 'The CAR ends early'],
    ['a size beyond the end', { size: payload.length + 100 }, 'The CAR ends early'],
    ['an offset beyond the end', { offset: 10_000 }, 'The CAR ends early'],
    ['an offset beyond all', { offset: 2 ** 53 }, 'lies where it cannot lie'],
    ['another CAR of version 2 inside', { content: wrap(), size: 200 }, 'is not one of version 1'],
  ])('is refused with %s', async (_what, changes, message) => {
    expect(await read(wrap(changes))).toContain(message)
  })
})
