import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCid } from '../cid-parts.ts'
import { sha256Code, type Cid } from '../cid.ts'
import { NodeError } from '../node-error.ts'
import { dagCborCodec, dagLink, encodeDagValue, type DagValue } from './tree-node.ts'
import { readSortedTree } from './tree-reader.ts'
import { SortedTreeWriter } from './tree-writer.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** Blocks in memory. */
class Blocks extends Map<Cid, Uint8Array> {
  readonly asked: Cid[] = []

  put = (bytes: Uint8Array): Promise<Cid> => {
    const cid = formatCid({ version: 1, codec: dagCborCodec, hash: sha256Code, digest: sha256(bytes) })
    this.set(cid, bytes)
    return Promise.resolve(cid)
  }

  fetch = (cid: Cid): Promise<Uint8Array> => {
    this.asked.push(cid)
    return Promise.resolve(this.get(cid)!)
  }
}

async function write(blocks: Blocks, rows: Iterable<readonly [string, DagValue]>): Promise<Cid> {
  const writer = new SortedTreeWriter(blocks.put, sha256)
  for (const [key, value] of rows) await writer.add(key, value)
  return writer.finish()
}

async function read(blocks: Blocks, root: Cid, from?: string): Promise<[string, unknown][]> {
  const rows: [string, unknown][] = []
  for await (const { key, value } of readSortedTree(root, blocks.fetch, from)) rows.push([key, value])
  return rows
}

const numbered = (count: number, size = 3): [string, DagValue][] =>
  Array.from({ length: count }, (_, index) => [`key-${String(index).padStart(9, '0')}`, 'v'.repeat(size)])

test.each([0, 1, 1000, 40_000])('%i rows come back in order', async (count) => {
  const blocks = new Blocks()
  const rows = numbered(count)
  const root = await write(blocks, rows)
  expect(await read(blocks, root)).toEqual(rows)
  expect(await write(new Blocks(), rows)).toBe(root)
  for (const bytes of blocks.values()) expect(bytes.length < 1024 * 1024).toBe(true)
  if (count === 40_000) expect(blocks.size > 80 && blocks.size < 400).toBe(true)
})

test('one more row, one less, or another value costs a few blocks', async () => {
  const before = new Blocks()
  const rows = numbered(20_000)
  await write(before, rows)
  const changes: [string, DagValue][][] = [
    [...rows.slice(0, 7_777), [`${rows[7_776]![0]}x`, 1], ...rows.slice(7_777)],
    [...rows.slice(0, 7_777), ...rows.slice(77_778)],
    rows.map(([key, value], index) => [key, index === 7_777 ? 'other' : value]),
    rows.slice(1),
    [...rows, ['zzz', 1]],
  ]
  for (const changed of changes) {
    const after = new Blocks()
    await write(after, changed)
    const fresh = [...after.keys()].filter((cid) => !before.has(cid))
    expect(fresh.length).toBeLessThanOrEqual(6)
  }
})

test('large rows make more nodes, not larger ones', async () => {
  const blocks = new Blocks()
  const rows = numbered(50, 300_000)
  const root = await write(blocks, rows)
  expect(await read(blocks, root)).toEqual(rows)
  for (const bytes of blocks.values()) expect(bytes.length < 1024 * 1024).toBe(true)
})

test('who begins in the middle fetches little of what is before', async () => {
  const blocks = new Blocks()
  const rows = numbered(20_000)
  const root = await write(blocks, rows)
  expect(await read(blocks, root, rows[19_500]![0])).toEqual(rows.slice(19_500))
  expect(blocks.asked.length < 15).toBe(true)
})

test('rows out of order are refused', async () => {
  const writer = new SortedTreeWriter(new Blocks().put, sha256)
  await writer.add('b', 1)
  await expect(writer.add('b', 1)).rejects.toThrow(RangeError)
  await expect(writer.add('a', 1)).rejects.toThrow(RangeError)
})

test('what is no tree is refused', async () => {
  const blocks = new Blocks()
  const put = (value: DagValue): Promise<Cid> => blocks.put(encodeDagValue(value))
  const [a, b] = [await put({ rows: [['a', 1]] }), await put({ rows: [['b', 1]] })]
  const wrong: DagValue[] = [
    7,
    null,
    {},
    { nodes: [] },
    { rows: 1 },
    { rows: [], nodes: [] },
    { rows: [['a']] },
    { rows: [[1, 1]] },
    {
      rows: [
        ['b', 1],
        ['a', 1],
      ],
    },
    { nodes: [['a', 'b']] },
    { nodes: [['x', dagLink(a)]] },
    {
      nodes: [
        ['b', dagLink(b)],
        ['a', dagLink(a)],
      ],
    },
    // The nodes are in order, what is below them is not.
    {
      nodes: [
        [
          'a',
          dagLink(
            await put({
              rows: [
                ['a', 1],
                ['c', 1],
              ],
            }),
          ),
        ],
        ['b', dagLink(b)],
      ],
    },
  ]
  for (const value of wrong) await expect(read(blocks, await put(value))).rejects.toThrow(NodeError)
  await expect(read(blocks, await blocks.put(Uint8Array.of(0xff)))).rejects.toThrow(NodeError)
  let deep = a
  for (let depth = 0; depth < 20; depth++) deep = await put({ nodes: [['a', dagLink(deep)]] })
  await expect(read(blocks, deep)).rejects.toThrow('deeper')
})

test('property: every set of rows comes back', async () => {
  const rows = fc.uniqueArray(fc.string({ maxLength: 5 }), { maxLength: 2000 })
  await fc.assert(
    fc.asyncProperty(rows, async (keys) => {
      const blocks = new Blocks()
      const sorted = keys.toSorted((x, y) => (x < y ? -1 : 1)).map((key, index) => [key, index] as const)
      const root = await write(blocks, new Map(sorted))
      expect(await read(blocks, root)).toEqual([...new Map(sorted)])
    }),
    { numRuns: 50 },
  )
})
