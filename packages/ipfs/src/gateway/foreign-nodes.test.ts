import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import { cidParts, dagPbCodec, readCar, type Cid } from '@openregistry/dag'
import { MemoryBlockView } from '@openregistry/testkit'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { createGateway } from './gateway.ts'
import { parseGatewayRequest } from './parse-request.ts'

/*
 * Nodes that somebody made and pushed as small blobs: other profiles, and trees that are there to hurt.
 */
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

async function blocksOf(view: MemoryBlockView, target: string): Promise<string[]> {
  const [path = '', query = ''] = target.split('?')
  const request = parseGatewayRequest(path, new URLSearchParams(query), undefined)
  await using answer = await createGateway(view).answer(request, { method: 'GET' })
  await using car = await readCar(answer.body as AsyncIterable<Uint8Array>, { sha256 })
  const found: string[] = []
  for await (const { cid } of car.blocks) found.push(cid)
  return found
}

function link(cid: Cid, name = ''): dagPb.PBLink {
  return { Hash: CID.parse(cid), Name: name, Tsize: 0 }
}

function addNode(
  view: MemoryBlockView,
  links: dagPb.PBLink[],
  data = new UnixFS({ type: 'directory' }),
): Cid {
  return view.addNode(dagPbCodec, dagPb.encode(dagPb.prepare({ Data: data.marshal(), Links: links })))
}

describe('a file of another profile', () => {
  const view = new MemoryBlockView()
  const leaves = ['one', 'two', 'three', 'four'].map((text) => view.addBlock(Buffer.from(text)))
  const half = (from: number, sizes: bigint[]): Cid =>
    addNode(
      view,
      leaves.slice(from, from + 2).map((cid) => link(cid)),
      new UnixFS({ type: 'file', blockSizes: sizes }),
    )
  const [first, second] = [half(0, [3n, 3n]), half(2, [5n, 4n])]
  const root = addNode(view, [link(first), link(second)], new UnixFS({ type: 'file', blockSizes: [6n, 9n] }))

  test.each([
    ['', [root, first, leaves[0], leaves[1], second, leaves[2], leaves[3]]],
    ['entity-bytes=0:0', [root, first, leaves[0]]],
    ['entity-bytes=3:5', [root, first, leaves[1]]],
    ['entity-bytes=5:6', [root, first, leaves[1], second, leaves[2]]],
    ['entity-bytes=-1:*', [root, second, leaves[3]]],
    ['dag-scope=entity', [root, first, leaves[0], leaves[1], second, leaves[2], leaves[3]]],
    ['dag-scope=block', [root]],
  ])('is served with %s', async (query, wanted) => {
    expect(await blocksOf(view, `${root}?format=car&${query}`)).toEqual(wanted)
  })

  test('is served in part when a block outside of that is missing', async () => {
    const torn = new MemoryBlockView()
    for (const cid of [root, first, leaves[0]!, leaves[1]!])
      torn.addBlock((await view.block(cidParts(cid).digest))!)
    expect(await blocksOf(torn, `${root}?format=car&entity-bytes=0:4`)).toEqual([
      root,
      first,
      leaves[0],
      leaves[1],
    ])
    await expect(blocksOf(torn, `${root}?format=car`)).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' })
  })

  test('has no range beyond its end', async () => {
    await expect(blocksOf(view, `${root}?format=car&entity-bytes=15:*`)).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
    })
  })
})

describe('blocks that are not what they are called', () => {
  test('are served as blocks alone', async () => {
    const view = new MemoryBlockView()
    const cid = view.addNode(dagPbCodec, Buffer.from('no node at all'))
    expect(await blocksOf(view, `${cid}?format=car&dag-scope=block`)).toEqual([cid])
    for (const query of ['', 'dag-scope=entity']) {
      await expect(blocksOf(view, `${cid}?format=car&${query}`)).rejects.toMatchObject({
        code: 'CID_INVALID',
      })
    }
    await expect(blocksOf(view, `${cid}/a?format=car`)).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' })
  })

  test('whose links nobody here reads are never said to be a whole DAG', async () => {
    const view = new MemoryBlockView()
    const cbor = view.addNode(0x71, Uint8Array.of(0xa0))
    expect(await blocksOf(view, `${cbor}?format=car&dag-scope=entity`)).toEqual([cbor])
    await expect(blocksOf(view, `${cbor}?format=car`)).rejects.toMatchObject({ code: 'CID_INVALID' })
    const directory = addNode(view, [link(cbor, 'document')])
    await expect(blocksOf(view, `${directory}?format=car`)).rejects.toMatchObject({ code: 'CID_INVALID' })
  })
})

describe('a tree that is there to hurt', () => {
  test('with as many paths as there are atoms is sent in as many blocks as it has', async () => {
    const view = new MemoryBlockView()
    let cid = view.addBlock(Buffer.from('the end')) as Cid
    for (let level = 0; level < 100; level++) cid = addNode(view, [link(cid, 'a'), link(cid, 'b')])
    expect(await blocksOf(view, `${cid}?format=car`)).toHaveLength(101)
  })

  test('of nodes in nodes without end is given up', async () => {
    const view = new MemoryBlockView()
    let cid = view.addBlock(Buffer.from('the end')) as Cid
    for (let level = 0; level < 1001; level++) cid = addNode(view, [link(cid, String(level))])
    await expect(blocksOf(view, `${cid}?format=car`)).rejects.toThrow('nested too deeply')
  })

  test('of large nodes in large nodes does not fill the memory', async () => {
    const view = new MemoryBlockView()
    const leaf = view.addBlock(Buffer.from('the end')) as Cid
    let cid = leaf
    for (let level = 0; level < 6; level++) {
      const links = Array.from({ length: 30_000 }, (_, i) => link(leaf, `${level} ${i}`))
      cid = addNode(view, [link(cid, ''), ...links])
    }
    await expect(blocksOf(view, `${cid}?format=car`)).rejects.toThrow('nested too deeply')
  })

  test('with shards that lead in circles of depth is given up', async () => {
    const view = new MemoryBlockView()
    const shard = new UnixFS({
      type: 'hamt-sharded-directory',
      hashType: 0x22n,
      fanout: 256n,
      data: Uint8Array.of(1),
    })
    const slots = [...Array(256).keys()].map((slot) => slot.toString(16).toUpperCase().padStart(2, '0'))
    let cid = view.addBlock(Buffer.from('the end')) as Cid
    for (let level = 0; level < 12; level++)
      cid = addNode(
        view,
        slots.map((slot) => link(cid, slot)),
        shard,
      )
    await expect(blocksOf(view, `${cid}/name?format=car`)).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' })
  })
})
