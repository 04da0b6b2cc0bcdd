import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as multihash from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'
import { rawCid } from './cid.ts'
import { unixfsLeafSize as leafSize, unixfsLevels } from './unixfs-shape.ts'
import { unixfsNode, unixfsTree } from './unixfs-tree.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const noHash = new Uint8Array(32)

/** Made-up content: its leaf hashes differ from each other. */
function madeUp(size: number): { size: number; sha256: Uint8Array; leaves: Uint8Array } {
  const leaves = new Uint8Array(Math.ceil(size / leafSize) * 32)
  const view = new DataView(leaves.buffer)
  for (let at = 0; at < leaves.length; at += 32) view.setUint32(at, at)
  return { size, sha256: noHash, leaves }
}

/** A block of the tree as the reference below sees it. */
interface Block {
  cid: CID
  file: number
  total: number
}

/** A varint, by the definition. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** The node over some blocks, with the encoder of `@ipld/dag-pb`: slow, and written independently. */
function referenceNode(children: Block[]): { bytes: Uint8Array; block: Block } {
  const file = children.reduce((sum, child) => sum + child.file, 0)
  const blockSizes = children.flatMap((child) => [0x20, ...varint(child.file)])
  const Data = Uint8Array.from([0x08, 2, 0x18, ...varint(file), ...blockSizes])
  const Links = children.map(({ cid, total }) => ({ Name: '', Hash: cid, Tsize: total }))
  const bytes = dagPb.encode({ Data, Links })
  const total = children.reduce((sum, child) => sum + child.total, bytes.length)
  return {
    bytes,
    block: { cid: CID.createV1(dagPb.code, multihash.create(0x12, sha256(bytes))), file, total },
  }
}

/** All levels above the leaves, level 1 first. */
function referenceLevels(size: number, leaves: Uint8Array): ReturnType<typeof referenceNode>[][] {
  let below: Block[] = []
  for (let start = 0; start < size; start += leafSize) {
    const index = start / leafSize
    const hash = multihash.create(0x12, leaves.subarray(index * 32, index * 32 + 32))
    const file = Math.min(leafSize, size - start)
    below.push({ cid: CID.createV1(0x55, hash), file, total: file })
  }
  const levels: ReturnType<typeof referenceNode>[][] = []
  while (below.length > 1) {
    const level: ReturnType<typeof referenceNode>[] = []
    for (let i = 0; i < below.length; i += 1024) level.push(referenceNode(below.slice(i, i + 1024)))
    levels.push(level)
    below = level.map(({ block }) => block)
  }
  return levels
}

function expectReference(size: number): void {
  const content = madeUp(size)
  const tree = unixfsTree(content, sha256)
  const levels = referenceLevels(size, content.leaves)
  expect(tree.nodes).toHaveLength(levels.length)
  expect(tree.cid).toBe(levels.at(-1)?.[0]?.block.cid.toString() ?? rawCid(noHash))
  for (const [i, level] of levels.entries()) {
    expect(tree.nodes[i]).toEqual(
      Uint8Array.from(level.flatMap(({ block }) => [...block.cid.multihash.digest])),
    )
    for (const index of new Set([0, level.length >> 1, level.length - 1])) {
      const wanted = level[index]!.bytes
      expect(unixfsNode(content, i + 1, index, sha256)).toEqual(wanted)
      expect(unixfsNode({ ...content, nodes: tree.nodes }, i + 1, index, sha256)).toEqual(wanted)
    }
  }
}

describe('a tree', () => {
  test.each([
    0,
    1,
    leafSize,
    leafSize + 1,
    2 * leafSize,
    127 * leafSize + 127,
    1023 * leafSize + 1,
    1024 * leafSize,
    1024 * leafSize + 1,
    1025 * leafSize,
    2048 * leafSize,
    2048 * leafSize + 1,
    3000 * leafSize + 7,
  ])('over %i bytes is the one that a general encoder makes', (size) => {
    expectReference(size)
  })

  test('over any size is the one that a general encoder makes', () => {
    const near = fc
      .tuple(fc.nat({ max: 2100 }), fc.integer({ min: -2, max: 2 }))
      .map(([n, by]) => n * leafSize + by)
    const any = fc.oneof(near, fc.nat({ max: 2100 * leafSize })).map((size) => Math.max(0, size))
    fc.assert(fc.property(any, expectReference), { numRuns: 20 })
  })

  test('above a tebibyte has four levels, and parents of one child', () => {
    const leaves = 1024 * 1024 + 1
    const content = madeUp((leaves - 1) * leafSize + 5)
    expect(unixfsLevels(content.size)).toEqual([leaves, 1025, 2, 1])
    const { cid, nodes } = unixfsTree(content, sha256)
    expect(nodes.map((level) => level.length / 32)).toEqual([1025, 2, 1])

    const root = dagPb.decode(unixfsNode({ ...content, nodes }, 3, 0, sha256))
    expect(root.Links.map(({ Hash }) => Hash.multihash.digest)).toEqual([
      nodes[1]!.subarray(0, 32),
      nodes[1]!.subarray(32),
    ])
    const single = unixfsNode(content, 2, 1, sha256)
    expect(sha256(single)).toEqual(Buffer.from(nodes[1]!.subarray(32)))
    const [only, ...others] = dagPb.decode(single).Links
    expect(others).toEqual([])
    const lowest = unixfsNode(content, 1, 1024, sha256)
    expect(only!.Tsize).toBe(lowest.length + 5)
    expect(only!.Hash.multihash.digest).toEqual(new Uint8Array(sha256(lowest)))
    expect(cid).toBe(CID.createV1(dagPb.code, multihash.create(0x12, nodes[2]!)).toString())
  })

  test('has no block above 2 MiB, the limit of IPFS', () => {
    const content = madeUp(1024 * 1024 * leafSize)
    const { nodes } = unixfsTree(content, sha256)
    expect(unixfsNode({ ...content, nodes }, 2, 0, sha256).length).toBeLessThan(64 * 1024)
  })
})

describe('one node', () => {
  test('costs only what lies under it', () => {
    const content = madeUp(3000 * leafSize)
    const { nodes } = unixfsTree(content, sha256)
    let hashed = 0
    const counting = (bytes: Uint8Array): Uint8Array => {
      hashed++
      return sha256(bytes)
    }
    unixfsNode(content, 1, 2, counting)
    unixfsNode({ ...content, nodes }, 2, 0, counting)
    expect(hashed).toBe(0)
    unixfsNode(content, 2, 0, counting)
    expect(hashed).toBe(3)
  })

  test.each([
    [leafSize, 1, 0],
    [2 * leafSize, 0, 0],
    [2 * leafSize, 2, 0],
    [2 * leafSize, 1, 1],
    [2 * leafSize, 1, -1],
    [2 * leafSize, 1, 0.5],
    [2 * leafSize, 0.5, 0],
    [2 * leafSize, Number.NaN, 0],
  ])('of %i bytes is refused at level %d, index %d', (size, level, index) => {
    expect(() => unixfsNode(madeUp(size), level, index, sha256)).toThrow(RangeError)
  })
})

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('no content has %d bytes', (size) => {
  expect(() => unixfsLevels(size)).toThrow(RangeError)
})

test.each([
  [0, 32],
  [1, 0],
  [1, 31],
  [leafSize + 1, 32],
  [leafSize, 64],
])('content of %i bytes does not have %i bytes of leaf hashes', (size, length) => {
  const content = { size, sha256: noHash, leaves: new Uint8Array(length) }
  expect(() => unixfsTree(content, sha256)).toThrow(RangeError)
})
