import { createHash } from 'node:crypto'
import {
  cidParts,
  dagPbCodec,
  formatCid,
  parseCid,
  readCar,
  unixfsBlocks,
  unixfsLeafSize,
  type Cid,
} from '@openregistry/dag'
import { MemoryBlockView } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import type { BlockView } from '../block-view.ts'
import type { Conditions, ContentAnswer } from '../content-answer.ts'
import { createGateway } from './gateway.ts'
import { parseGatewayRequest } from './parse-request.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const mebibyte = unixfsLeafSize

/** Bytes whose leaves differ from each other. */
function madeUp(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 1000) bytes[at] = (at / 1000 + seed) % 251
  return bytes
}

/** Asks a gateway over a view as a request line would. */
async function ask(
  view: BlockView,
  target: string,
  { accept, ...conditions }: Partial<Conditions> & { accept?: string } = {},
): Promise<ContentAnswer> {
  const [path = '', query = ''] = target.split('?')
  const request = parseGatewayRequest(path, new URLSearchParams(query), accept)
  return createGateway(view).answer(request, { method: 'GET', ...conditions })
}

async function* chunksOf({ body }: ContentAnswer): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else if (body !== null) yield* body
}

/** Roots and blocks of the CAR in an answer, verified. */
async function carOf(
  asked: Promise<ContentAnswer>,
): Promise<{ roots: string[]; cids: string[]; bytes: number }> {
  await using answer = await asked
  await using car = await readCar(chunksOf(answer), { sha256 })
  const cids: string[] = []
  let bytes = 0
  for await (const block of car.blocks) {
    cids.push(block.cid)
    bytes += block.bytes.length
  }
  return { roots: [...car.roots], cids, bytes }
}

/** The CIDs of a file's blocks, by the definition of the profile, in the order of a walk. */
async function fileCids(
  view: MemoryBlockView,
  cid: Cid,
  range?: { offset: number; length: number },
): Promise<string[]> {
  const file = (await view.file(cidParts(cid).digest))!
  if (file.size === 0) return [cid]
  return [...unixfsBlocks(file.size, range)].map(({ level, index }) => {
    const packed = level === 0 ? file.leaves : file.nodes[level - 1]!
    const digest = packed.subarray(index * 32, index * 32 + 32)
    return formatCid({ version: 1, codec: level === 0 ? 0x55 : dagPbCodec, hash: 0x12, digest })
  })
}

describe('a block', () => {
  const view = new MemoryBlockView()
  const bytes = madeUp(70_000)
  const { cid } = view.addBlob(bytes)

  test('comes as it is, with everything that a cache needs', async () => {
    await using answer = await ask(view, `${cid}?format=raw`)
    expect(answer).toMatchObject({ status: 200, length: bytes.length })
    const body = (await Array.fromAsync(chunksOf(answer), (chunk) => chunk.slice()))[0]
    expect(body).toEqual(bytes)
    expect(view.lent).toBe(0)
    expect(answer.headers).toEqual({
      'Content-Type': 'application/vnd.ipld.raw',
      'Content-Disposition': `attachment; filename="${cid}.bin"`,
      ETag: `"${cid}.raw"`,
      'Cache-Control': 'public, max-age=29030400, immutable',
      Vary: 'Accept',
      'X-Content-Type-Options': 'nosniff',
      'Accept-Ranges': 'none',
      'X-Ipfs-Path': `/ipfs/${cid}`,
      'X-Ipfs-Roots': cid,
    })
  })

  test('is described to HEAD without being read', async () => {
    const read = view.blocksRead
    await using answer = await ask(view, `${cid}?format=raw`, { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, length: bytes.length, body: null })
    expect(view.blocksRead).toBe(read)
  })

  test('is not sent again to a client that has it', async () => {
    for (const ifNoneMatch of [`"${cid}.raw"`, `W/"${cid}.raw"`, `"x", "${cid}.raw"`, '*']) {
      await using answer = await ask(view, `${cid}?format=raw`, { ifNoneMatch })
      expect(answer).toMatchObject({ status: 304, body: null, headers: { ETag: `"${cid}.raw"` } })
    }
    await using other = await ask(view, `${cid}?format=raw`, { ifNoneMatch: `"${cid}.car"` })
    expect(other.status).toBe(200)
  })

  test('has an address of its own for caches when a header chose the format', async () => {
    await using answer = await ask(view, cid, { accept: 'application/vnd.ipld.raw' })
    expect(answer.headers['Content-Location']).toBe(`/ipfs/${cid}?format=raw`)
  })

  test.each([
    ['foobar.bin', 'attachment; filename="foobar.bin"'],
    ['a%22b%0D%0A.bin', `attachment; filename="a_b__.bin"; filename*=UTF-8''a%22b%0D%0A.bin`],
    ['t%C3%A9st%27.bin', `attachment; filename="t_st'.bin"; filename*=UTF-8''t%C3%A9st%27.bin`],
  ])('is saved under the name that is wished: %s', async (filename, header) => {
    await using answer = await ask(view, `${cid}?format=raw&filename=${filename}`)
    expect(answer.headers['Content-Disposition']).toBe(header)
  })
})

describe('what is not here', () => {
  const view = new MemoryBlockView()
  const { cid } = view.addBlob(madeUp(10))
  const target = `${cid}?format=raw`
  const etag = `"${cid}.raw"`
  view.hide(cidParts(cid).digest)

  test.each(['GET', 'HEAD'] as const)('is unknown to %s, to those who had it too', async (method) => {
    for (const format of ['raw', 'car']) {
      const wanted = {
        code: 'CONTENT_UNKNOWN',
        message: 'There is no public content under this CID or path.',
      }
      await expect(ask(view, `${cid}?format=${format}`, { method })).rejects.toMatchObject(wanted)
      await expect(ask(view, `${cid}?format=${format}`, { method, ifNoneMatch: '*' })).rejects.toMatchObject(
        wanted,
      )
    }
    await expect(ask(view, target, { method, ifNoneMatch: etag })).rejects.toMatchObject({
      code: 'CONTENT_UNKNOWN',
    })
  })

  test('is said to be not cached to those who want it only then', async () => {
    const conditions = { onlyIfCached: true }
    await expect(ask(view, target, conditions)).rejects.toMatchObject({ code: 'NOT_CACHED' })
    await expect(ask(view, `${cid}?format=car`, conditions)).rejects.toMatchObject({ code: 'NOT_CACHED' })
  })
})

describe('an identity CID', () => {
  const view = new MemoryBlockView()

  test.each(['GET', 'HEAD'] as const)('answers the probe of clients by %s', async (method) => {
    await using answer = await ask(view, 'bafkqaaa?format=raw', { method })
    expect(answer).toMatchObject({ status: 200, length: 0 })
  })

  test('has its content in itself', async () => {
    await using answer = await ask(view, 'bafkqaf3imvwgy3zaneqgc3janfxgy2lomvscay3jmqfa?format=raw')
    expect(Buffer.from(answer.body as Uint8Array).toString()).toBe('hello i am inlined cid\n')
  })

  test('is never a block of a CAR', async () => {
    for (const cid of ['bafkqaaa', 'bafkqaf3imvwgy3zaneqgc3janfxgy2lomvscay3jmqfa']) {
      expect(await carOf(ask(view, `${cid}?format=car&car-dups=y`))).toEqual({
        roots: [cid],
        cids: [],
        bytes: 0,
      })
    }
    const { cid } = view.addDirectory([{ name: 'inline', cid: parseCid('bafkqaaa'), size: 0 }])
    expect((await carOf(ask(view, `${cid}?format=car&car-dups=y`))).cids).toEqual([cid])
  })
})

describe('the CAR of a file', () => {
  const view = new MemoryBlockView()
  const sizes = [0, 1, mebibyte, mebibyte + 1, 5 * mebibyte, 7 * mebibyte - 1]

  test.each(sizes)('of %i bytes has all of its blocks, from one pass over the blob', async (size) => {
    const { cid } = view.addBlob(madeUp(size))
    view.opened.length = 0
    const read = view.blocksRead
    const car = await carOf(ask(view, `${cid}?format=car`))
    expect(car).toMatchObject({ roots: [cid], cids: await fileCids(view, cid) })
    if (size > mebibyte) {
      expect(view.opened).toEqual([{ offset: 0, length: size }])
      expect(view.blocksRead).toBe(read)
    }
    expect(view.open).toBe(0)
  })

  test('with dag-scope=block is its root', async () => {
    const { cid } = view.addBlob(madeUp(3 * mebibyte))
    expect((await carOf(ask(view, `${cid}?format=car&dag-scope=block`))).cids).toEqual([cid])
  })

  test.each([
    ['0:*', 0, 5 * mebibyte + 10],
    ['0:0', 0, 1],
    ['-1:*', 5 * mebibyte + 9, 1],
    ['-99999999:*', 0, 5 * mebibyte + 10],
    ['1048576:2097151', mebibyte, mebibyte],
    ['1048575:1048576', mebibyte - 1, 2],
    ['3000000:-2000000', 3_000_000, 242_891],
    ['5000000:999999999', 5_000_000, 242_890],
  ])('with entity-bytes=%s has the least that shows them', async (bytes, offset, length) => {
    const { cid } = view.addBlob(madeUp(5 * mebibyte + 10))
    view.opened.length = 0
    const car = await carOf(ask(view, `${cid}?format=car&entity-bytes=${bytes}`))
    expect(car.cids).toEqual(await fileCids(view, cid, { offset, length }))
    expect(view.opened.length <= 1).toBe(true)
  })

  test('of no bytes is its root, and outside of it is refused', async () => {
    const { cid } = view.addBlob(madeUp(2 * mebibyte))
    expect((await carOf(ask(view, `${cid}?format=car&entity-bytes=2000000:-2000000`))).cids).toEqual([cid])
    const outside = `${cid}?format=car&entity-bytes=2097152:*`
    await expect(ask(view, outside)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' })
    await expect(ask(view, outside, { method: 'HEAD' })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' })
  })

  test('sends equal leaves once, or each time', async () => {
    const { cid } = view.addBlob(new Uint8Array(6 * mebibyte))
    expect((await carOf(ask(view, `${cid}?format=car`))).cids).toHaveLength(2)
    await using answer = await ask(view, `${cid}?format=car&car-dups=y`)
    expect(answer.headers['Content-Type']).toBe('application/vnd.ipld.car; version=1; order=dfs; dups=y')
    expect((await carOf(Promise.resolve(answer))).cids).toHaveLength(7)
  })

  test('that leaves out leaves in the middle does not read them', async () => {
    const blob = madeUp(8 * mebibyte)
    blob.set(blob.subarray(0, mebibyte), 3 * mebibyte)
    blob.set(blob.subarray(0, mebibyte), 4 * mebibyte)
    const { cid } = view.addBlob(blob)
    view.opened.length = 0
    expect((await carOf(ask(view, `${cid}?format=car`))).cids).toHaveLength(7)
    expect(view.opened).toEqual([
      { offset: 0, length: 8 * mebibyte },
      { offset: 5 * mebibyte, length: 3 * mebibyte },
    ])
  })

  test('is described to HEAD without a byte of it', async () => {
    const { cid } = view.addBlob(madeUp(2 * mebibyte))
    view.opened.length = 0
    const read = view.blocksRead
    await using answer = await ask(view, `${cid}?format=car`, { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, length: null, body: null })
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/vnd.ipld.car; version=1; order=dfs; dups=n',
      'Content-Disposition': `attachment; filename="${cid}.car"`,
    })
    expect([view.opened.length, view.blocksRead]).toEqual([0, read])
  })

  test('is cut off where the backend fails, and nothing stays open', async () => {
    const broken = new MemoryBlockView()
    const { cid } = broken.addBlob(madeUp(4 * mebibyte))
    broken.failAt = 2 * mebibyte
    await expect(carOf(ask(broken, `${cid}?format=car`))).rejects.toThrow('The backend is away.')
    expect(broken.open).toBe(0)
  })

  test('is given up when its reader goes away', async () => {
    const { cid } = view.addBlob(madeUp(4 * mebibyte))
    await using answer = await ask(view, `${cid}?format=car`)
    for await (const chunk of chunksOf(answer)) if (chunk.length > 1000) break
    await answer[Symbol.asyncDispose]()
    expect(view.open).toBe(0)
  })

  test('of one block that has another codec is that block', async () => {
    const json = Buffer.from('{"a":1}')
    const cid = view.addNode(0x0200, json)
    expect(await carOf(ask(view, `${cid}?format=car`))).toEqual({
      roots: [cid],
      cids: [cid],
      bytes: json.length,
    })
  })
})

describe('the CAR of a directory', () => {
  const view = new MemoryBlockView()
  const small = { name: 'small', ...view.addBlob(madeUp(100)) }
  const large = { name: 'large', ...view.addBlob(madeUp(3 * mebibyte)) }
  const again = { ...large, name: 'large again' }
  const inner = { name: 'inner', ...view.addDirectory([again, { ...small, name: 'x' }]) }
  const root = view.addDirectory([small, large, inner]).cid

  test('has everything below it, in the order of a depth-first walk', async () => {
    const file = await fileCids(view, large.cid)
    const once = [root, inner.cid, ...file, small.cid]
    expect(await carOf(ask(view, `${root}?format=car`))).toMatchObject({ roots: [root], cids: once })
    const { cids } = await carOf(ask(view, `${root}?format=car&car-dups=y`))
    expect(cids).toEqual([root, inner.cid, ...file, small.cid, ...file, small.cid])
  })

  test('with dag-scope=entity, or with entity-bytes, has what lists it', async () => {
    for (const query of ['dag-scope=entity', 'entity-bytes=0:*', 'dag-scope=block']) {
      expect((await carOf(ask(view, `${root}?format=car&${query}`))).cids).toEqual([root])
    }
  })

  test('shows a path, and what is at its end', async () => {
    const file = await fileCids(view, large.cid)
    const car = await carOf(ask(view, `${root}/inner/large%20again?format=car`))
    expect(car).toMatchObject({ roots: [root], cids: [root, inner.cid, ...file] })
    const part = await carOf(ask(view, `${root}/large?format=car&entity-bytes=0:9`))
    expect(part.cids).toEqual([root, ...(await fileCids(view, large.cid, { offset: 0, length: 10 }))])
    expect((await carOf(ask(view, `${root}/inner?format=car&dag-scope=block`))).cids).toEqual([
      root,
      inner.cid,
    ])
  })

  test('has a name for each path, and a tag for each question', async () => {
    const targets = [
      '',
      '/inner',
      '?dag-scope=entity',
      '?entity-bytes=0:*',
      '?car-dups=y',
      '?dag-scope=block',
    ]
    const tags = new Set<string>()
    for (const target of targets) {
      const [path = '', query = ''] = target.split('?')
      await using answer = await ask(view, `${root}${path}?format=car&${query}`, { method: 'HEAD' })
      const { ETag: etag = '' } = answer.headers
      tags.add(etag)
      await using again = await ask(view, `${root}${path}?format=car&${query}`, { ifNoneMatch: etag })
      expect(again.status).toBe(304)
    }
    expect(tags.size).toBe(targets.length)
    await using answer = await ask(view, `${root}/inner?format=car`, { method: 'HEAD' })
    expect(answer.headers).toMatchObject({
      'Content-Disposition': `attachment; filename="${root}_inner.car"`,
      'X-Ipfs-Path': `/ipfs/${root}/inner`,
    })
    expect(answer.headers['X-Ipfs-Roots']).toBeUndefined()
  })

  test.each(['nothing', 'small/x', 'inner/large', 'large/0'])('knows no path %s', async (path) => {
    for (const method of ['GET', 'HEAD'] as const) {
      await expect(ask(view, `${root}/${path}?format=car`, { method })).rejects.toMatchObject({
        code: 'CONTENT_UNKNOWN',
      })
    }
  })

  test('that lacks a block in the middle is cut off there', async () => {
    const torn = new MemoryBlockView()
    const [a, b] = [torn.addBlob(madeUp(50, 1)), torn.addBlob(madeUp(50, 2))]
    const { cid } = torn.addDirectory([
      { name: 'a', ...a },
      { name: 'b', ...b },
    ])
    torn.hide(cidParts(b.cid).digest)
    const found: string[] = []
    const reading = async (): Promise<void> => {
      await using answer = await ask(torn, `${cid}?format=car`)
      await using car = await readCar(chunksOf(answer), { sha256 })
      for await (const block of car.blocks) found.push(block.cid)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' })
    expect(found).toEqual([cid, a.cid])
  })

  test('of many shards is walked, listed and searched', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => ({
      name: `entry ${i}`.padEnd(80, '.'),
      cid: small.cid,
      size: 100,
    }))
    const { cid } = view.addDirectory(entries)
    const { cids } = await carOf(ask(view, `${cid}?format=car&dag-scope=entity&car-dups=y`))
    expect(cids.length > 200).toBe(true)
    expect(cids).not.toContain(small.cid)
    expect(await carOf(ask(view, `${cid}?format=car`))).toMatchObject({
      cids: expect.arrayContaining([small.cid]) as unknown,
    })
    const { cids: found } = await carOf(
      ask(view, `${cid}/${encodeURIComponent(entries[77]!.name)}?format=car`),
    )
    expect(found.at(-1)).toBe(small.cid)
    expect(found.length >= 3 && found.every((one) => cids.includes(one) || one === small.cid)).toBe(true)
  })
})
