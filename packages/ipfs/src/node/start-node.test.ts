import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { encodeCid, peerId, type CidParts } from '@openregistry/dag'
import {
  BitswapClient,
  freePort,
  framed,
  MemoryBlockView,
  wantlistMessage,
  type BitswapClientOptions,
} from '@openregistry/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startNode, type IpfsNode } from './start-node.ts'

const view = new MemoryBlockView()
const sent: number[] = []
const faults: unknown[] = []
let node: IpfsNode

const options = {
  view,
  seed: new Uint8Array(32).fill(7),
  listen: [{ host: '127.0.0.1', port: 0 }],
  reachable: [{ host: 'registry.example', port: 4001 }],
  swarmKey: null,
  maxConnections: 20,
  observer: { sent: (bytes: number) => sent.push(bytes), failed: (error: unknown) => faults.push(error) },
  bootstrap: [],
}

beforeAll(async () => {
  node = await startNode(options)
})
afterAll(() => node[Symbol.asyncDispose]())

const local = ({ addresses }: IpfsNode): string => addresses.find((one) => one.startsWith('/ip4/127'))!
const connect = (how?: BitswapClientOptions): Promise<BitswapClient> =>
  BitswapClient.connect(local(node), how)

/** A block that is there, and its CID as bytes. */
function block(size = 100, codec = 0x55, version: 0 | 1 = 1): { bytes: Buffer; cid: Buffer } {
  const bytes = randomBytes(size)
  view.addBlock(bytes)
  return { bytes, cid: cidOf(bytes, { codec, version }) }
}

function cidOf(bytes: Uint8Array, { codec = 0x55, version = 1 }: Partial<CidParts> = {}): Buffer {
  const digest = createHash('sha256').update(bytes).digest()
  return Buffer.from(encodeCid({ version, codec, hash: 0x12, digest }))
}

const nobodys = (): Buffer => cidOf(randomBytes(9))
const hex = (bytes: Buffer): string => bytes.toString('hex')

test('a node that cannot be what it was to be leaves nothing behind', async () => {
  const listen = [{ host: '127.0.0.1', port: await freePort() }]
  const bootstrap = ['/ip4/127.0.0.1/tcp/65536/p2p/12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS']
  await expect(startNode({ ...options, listen, bootstrap })).rejects.toThrow()
  await using other = await startNode({ ...options, listen })
  expect(other.addresses).toHaveLength(2)
})

test('a node has the name that its key gives it, and says where it is reached', () => {
  expect(node.addresses).toEqual([
    expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/),
    `/dns/registry.example/tcp/4001/p2p/${node.peerId}`,
  ])
  expect(node.peerId).toMatch(/^12D3KooW/)
  expect(peerId(new Uint8Array(32)).slice(0, 8)).toBe(node.peerId.slice(0, 8))
})

describe('a peer that asks', () => {
  test('gets blocks, hears what is there and what is not, each under the CID that it named', async () => {
    await using client = await connect()
    const [raw, node0, large, known] = [block(), block(80, 0x70, 0), block(2 * 2 ** 20), block()]
    const [missing, silent] = [nobodys(), nobodys()]
    const stream = await client.ask(
      wantlistMessage([
        { cid: raw.cid },
        { cid: node0.cid, sendDontHave: true },
        { cid: silent },
        { cid: known.cid, type: 'have' },
        { cid: missing, sendDontHave: true },
        { cid: large.cid },
      ]),
    )
    const told = await client.told(({ blocks, hasNot }) => blocks.length === 3 && hasNot.length === 1)
    expect(told.blocks).toEqual([
      { prefix: hex(raw.cid.subarray(0, 4)), data: raw.bytes },
      { prefix: '00701220', data: node0.bytes },
      { prefix: hex(large.cid.subarray(0, 4)), data: large.bytes },
    ])
    expect(told.has).toEqual([hex(known.cid)])
    expect(told.hasNot).toEqual([hex(missing)])
    expect(node.peers()).toBe(1)
    await stream.close()
  })

  test('cannot tell what was taken away from what was never there', async () => {
    await using client = await connect()
    const hidden = block()
    view.hide(createHash('sha256').update(hidden.bytes).digest())
    const asked = [hidden.cid, nobodys()].flatMap((cid) => [
      { cid, sendDontHave: true },
      { cid: cidOf(cid), type: 'have' as const, sendDontHave: true },
    ])
    await client.ask(wantlistMessage(asked))
    const told = await client.told(({ hasNot }) => hasNot.length === asked.length)
    expect(told).toEqual({ blocks: [], has: [], hasNot: asked.map(({ cid }) => hex(cid)) })
  })

  test('hears that other hashes are not there', async () => {
    await using client = await connect()
    const digest = randomBytes(32)
    const cids = [0x00, 0x1e, 0x13].map((hash) =>
      Buffer.from(encodeCid({ version: 1, codec: 0x55, hash, digest })),
    )
    await client.ask(wantlistMessage(cids.map((cid) => ({ cid, sendDontHave: true }))))
    const told = await client.told(({ hasNot }) => hasNot.length === 3)
    expect(told.hasNot).toEqual(cids.map(hex))
  })

  test('gets blocks by the older protocol, which has no other answers', async () => {
    await using client = await connect({ protocols: ['/ipfs/bitswap/1.1.0'] })
    const [first, second] = [block(), block()]
    const wants = [first.cid, nobodys(), second.cid].map((cid) => ({ cid, sendDontHave: true }))
    await client.ask(wantlistMessage(wants), '/ipfs/bitswap/1.1.0')
    const told = await client.told(({ blocks }) => blocks.length === 2)
    expect(told).toMatchObject({ has: [], hasNot: [] })
    expect(client.answered.map(({ protocol }) => protocol)).toEqual(['/ipfs/bitswap/1.1.0'])
  })

  test('hears that a block is not there which cannot be read now', async () => {
    await using client = await connect()
    const broken = nobodys()
    const read = view.block.bind(view)
    view.block = () => Promise.reject(new Error('The backend is away.'))
    try {
      await client.ask(wantlistMessage([{ cid: broken, sendDontHave: true }]))
      expect((await client.told(({ hasNot }) => hasNot.length === 1)).hasNot).toEqual([hex(broken)])
    } finally {
      view.block = read
    }
    expect(faults.splice(0)).toEqual([new Error('The backend is away.')])
  })

  test('with thousands of wants in one message is answered in full', async () => {
    await using client = await connect()
    const known = block()
    const wants = Array.from({ length: 5000 }, () => ({ cid: nobodys(), sendDontHave: true }))
    await client.ask(wantlistMessage([...wants, { cid: known.cid }]))
    const told = await client.told(({ blocks }) => blocks.length === 1)
    expect(told.hasNot).toEqual(wants.map(({ cid }) => hex(cid)))
  })
})

test('a peer that pings hears what it has sent', async () => {
  await using client = await connect()
  const stream = await client.open('/ipfs/ping/1.0.0')
  for (const ping of [randomBytes(32), randomBytes(32)]) {
    const heard = once(stream, 'message') as Promise<[{ data: { subarray(): Uint8Array } }]>
    stream.send(ping)
    const [{ data }] = await heard
    expect(Buffer.from(data.subarray())).toEqual(ping)
  }
  await stream.close()
  await expect.poll(() => stream.status).toBe('closed')
})

test('a peer that asks much faster than it is answered waits, and loses nothing', async () => {
  await using client = await connect()
  const [first, last] = [block(), block()]
  const stream = await client.ask(wantlistMessage([{ cid: first.cid }]))
  await client.told(({ blocks }) => blocks.length === 1)
  const read = view.block.bind(view)
  const gate = Promise.withResolvers<void>()
  view.block = (digest) => gate.promise.then(() => read(digest))
  try {
    const wants = (count: number): Uint8Array =>
      framed(wantlistMessage(Array.from({ length: count }, () => ({ cid: nobodys() }))))
    // All that may wait, and one that is being looked for.
    stream.send(wants(257))
    await (await client.open('/ipfs/ping/1.0.0')).close()
    // The second one is here when the first one was read.
    stream.send(wants(0))
    stream.send(wants(1))
    const many = wants(500)
    for (let sent = 0; sent < 3 * 2 ** 20; sent += many.length) stream.send(many)
    stream.send(framed(wantlistMessage([{ cid: last.cid }])))
    // Each time as much has come as was let through before.
    for (let turn = 0; turn < 10; turn++) await (await client.open('/ipfs/ping/1.0.0')).close()
    expect(stream.status).toBe('open')
  } finally {
    view.block = read
    gate.resolve()
  }
  expect((await client.told(({ blocks }) => blocks.length === 2)).blocks).toHaveLength(2)
})

describe('a peer that does not take part fairly', () => {
  test('and takes no answers holds up nobody else, and no more is read for it than fits into its window', async () => {
    await using slow = await connect({ reads: false })
    await using fair = await connect()
    const large = Array.from({ length: 40 }, () => block(2 ** 20))
    const before = view.blocksRead
    await slow.ask(wantlistMessage(large.map(({ cid }) => ({ cid }))))
    const small = block()
    await fair.ask(wantlistMessage([{ cid: small.cid }]))
    await fair.told(({ blocks }) => blocks.length === 1)
    await fair.ask(wantlistMessage(large.slice(0, 8).map(({ cid }) => ({ cid }))))
    await fair.told(({ blocks }) => blocks.length === 9)
    expect(view.blocksRead - before).toBeLessThan(16)
  })

  test.each([
    ['a message that is none', Uint8Array.of(3, 0x0b, 0x0b, 0x0b)],
    ['a message that is too long', Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['a length without end', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ])('and sends %s loses its stream, not its connection', async (_, bytes) => {
    await using client = await connect()
    const stream = await client.open()
    const closed = once(stream, 'close')
    stream.send(bytes)
    await closed
    expect(stream.status).toBe('reset')
    const known = block()
    await client.ask(wantlistMessage([{ cid: known.cid }]))
    await client.told(({ blocks }) => blocks.length === 1)
  })

  test('and leaves is forgotten', async () => {
    const client = await connect()
    await expect.poll(() => node.peers()).toBe(1)
    await client[Symbol.asyncDispose]()
    await expect.poll(() => node.peers()).toBe(0)
  })
})

describe('a private network', () => {
  const keyOf = (digit: string): Buffer =>
    Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${digit.repeat(64)}\n`)

  test('lets those in who have its key', async () => {
    await using closed = await startNode({ ...options, swarmKey: keyOf('a'), reachable: [] })
    await using client = await BitswapClient.connect(local(closed), { psk: keyOf('a') })
    const known = block()
    await client.ask(wantlistMessage([{ cid: known.cid }]))
    await client.told(({ blocks }) => blocks.length === 1)
    const others = [{ psk: keyOf('b'), patience: 2000 }, { patience: 2000 }]
    const refused = others.map((how) => BitswapClient.connect(local(closed), how))
    for (const one of await Promise.allSettled(refused)) expect(one.status).toBe('rejected')
  })

  test('has a key that is one', async () => {
    await expect(startNode({ ...options, swarmKey: Buffer.from('secret') })).rejects.toThrow()
  })
})
