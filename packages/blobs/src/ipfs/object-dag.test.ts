import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '@openregistry/core'
import { readCar, unixfsLeafSize } from '@openregistry/dag'
import { randomFrom } from '@openregistry/testkit'
import { objectOf, type CarOrder, type WholeObject } from './object-dag.ts'
import { Spool } from './spool.ts'
import { spooled, webHashLeaf, type Spooled } from './spooled.ts'

const mebi = 1024 * 1024
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(folder, { recursive: true }))

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function objectFrom(bytes: Uint8Array, chunk = 100_000): Promise<WholeObject & { content: Spooled }> {
  const content = await spooled(inChunks(bytes, chunk), { spool: new Spool(folder), hashLeaf: webHashLeaf })
  return { ...objectOf(newStorageKey(newUploadId()), content), content }
}

describe('an object as a CAR', () => {
  test.each([0, 1, mebi - 1, mebi, mebi + 1, 3 * mebi, 5 * mebi + 17])(
    'of %i bytes has all of its blocks, and no others',
    async (size) => {
      const bytes = new Uint8Array(randomFrom(size).bytes(size))
      const object = await objectFrom(bytes)
      await using content = object.content
      expect(content.size).toBe(size)
      await using car = await readCar(object.car(), { sha256 })
      expect(car.roots).toEqual([object.pin])
      const cids: string[] = []
      const leaves: Uint8Array[] = []
      for await (const block of car.blocks) {
        cids.push(block.cid)
        if (block.cid.startsWith('bafkrei')) leaves.push(new Uint8Array(block.bytes))
      }
      expect(Buffer.concat(leaves).equals(bytes)).toBe(true)
      expect(cids.slice(0, 1)).toEqual([object.pin])
      expect(cids.slice(1)).toContain(object.file)
      const above = size > unixfsLeafSize ? 2 : 1
      expect(cids).toHaveLength(above + Math.max(1, Math.ceil(size / unixfsLeafSize)))
    },
  )

  test('has the same blocks in either order', async () => {
    const object = await objectFrom(new Uint8Array(randomFrom(9).bytes(2 * mebi + 5)))
    await using content = object.content
    expect(content.size).toBe(2 * mebi + 5)
    const cids = async (order: CarOrder): Promise<string[]> => {
      await using car = await readCar(object.car(order), { sha256 })
      return (await Array.fromAsync(car.blocks)).map(({ cid }) => cid)
    }
    const [nodesFirst, leavesFirst] = [await cids('nodes first'), await cids('leaves first')]
    expect(nodesFirst.slice(0, 2)).toEqual([object.pin, object.file])
    expect(leavesFirst).toEqual([...nodesFirst.slice(2), ...nodesFirst.slice(0, 2)])
  })

  test('of equal content is another pin of the same file, and can be read again and again', async () => {
    const bytes = new Uint8Array(randomFrom(7).bytes(2 * mebi + 5))
    const [one, other] = [await objectFrom(bytes), await objectFrom(bytes, 1_500_000)]
    await using first = one.content
    await using second = other.content
    expect(other.file).toBe(one.file)
    expect(other.pin).not.toBe(one.pin)
    expect(first.leaves).toEqual(second.leaves)
    const [car, again] = [await Array.fromAsync(copies(one.car())), await Array.fromAsync(copies(one.car()))]
    expect(Buffer.concat(car).equals(Buffer.concat(again))).toBe(true)
  })

  test('has a spool file without a name, and none at all up to one leaf', async () => {
    const large = await objectFrom(new Uint8Array(3 * mebi))
    await using content = large.content
    expect(content.size).toBe(3 * mebi)
    expect(await readdir(folder)).toEqual([])
  })
})

/** Chunks are valid until the next one is asked for. */
async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield new Uint8Array(chunk)
}
