import { randomBytes } from 'node:crypto'
import { DhtServer, freePort, MemoryBlockView } from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startNode, type IpfsNode } from '../start-node.ts'

const opened = new AsyncDisposableStack()
const servers: DhtServer[] = []
const faults: unknown[] = []

const start = async (bootstrap: readonly string[]): Promise<IpfsNode> =>
  await startNode({
    view: new MemoryBlockView(),
    seed: randomBytes(32),
    listen: [{ host: '127.0.0.1', port: 0 }],
    reachable: [{ host: 'registry.example', port: 4001 }],
    swarmKey: null,
    maxConnections: 20,
    observer: { sent: () => undefined, failed: (error) => faults.push(error) },
    bootstrap,
  })

beforeAll(async () => {
  for (let count = 0; count < 6; count++) servers.push(opened.use(await DhtServer.start()))
})
afterAll(() => opened.disposeAsync())

beforeEach(() => {
  // Each knows the next one, so whoever asks on gets around.
  servers.forEach((server, at) => {
    server.knows = [servers[(at + 1) % servers.length]!.peer]
    server.silent = false
    server.onMessage = () => undefined
    server.records.length = 0
    server.asked = 0
  })
})

const yes = { mayTell: () => Promise.resolve(true) }
const keyOf = (digest: Uint8Array): string => `1220${Buffer.from(digest).toString('hex')}`

describe('an announcement', () => {
  test('reaches the closest peers, whoever of them is known at first, and tells where the node is', async () => {
    await using node = await start([servers[0]!.address])
    const digest = randomBytes(32)
    expect(await node.announce(digest, yes)).toBe('announced')
    const [here = ''] = node.addresses
    const addresses = [here.replace(/\/p2p\/.*/, ''), '/dns/registry.example/tcp/4001']
    const record = { key: keyOf(digest), provider: node.peerId, addresses }
    for (const { records } of servers) expect(records).toEqual([record])
    // Of all that were asked, only whom the operator has named stays connected.
    expect(node.peers()).toBe(1)
    expect(faults).toEqual([])
  })

  test('is one message to each, and the next one finds its way by itself', async () => {
    await using node = await start([servers[0]!.address])
    for (let turn = 0; turn < 2; turn++) await node.announce(randomBytes(32), yes)
    await Promise.all([1, 2, 3].map(() => node.announce(randomBytes(32), yes)))
    for (const { records, asked } of servers) expect([records.length, asked]).toEqual([5, 5])
  })

  test('goes past peers that say nothing', async () => {
    servers[1]!.silent = true
    servers[0]!.knows = [servers[1]!.peer, servers[2]!.peer, { id: randomBytes(36), addresses: [] }]
    await using node = await start([servers[0]!.address])
    expect(await node.announce(randomBytes(32), yes)).toBe('announced')
    expect(servers.map(({ records }) => records.length)).toEqual([1, 0, 1, 1, 1, 1])
  })

  test('is unanswered when nobody takes note, and the next one begins anew', async () => {
    await using node = await start([servers[0]!.address])
    servers[0]!.silent = true
    expect(await node.announce(randomBytes(32), yes)).toBe('unanswered')
    servers[0]!.silent = false
    expect(await node.announce(randomBytes(32), yes)).toBe('announced')
  })
})

describe('what may not be told', () => {
  test('is not even asked about', async () => {
    await using node = await start([servers[0]!.address])
    expect(await node.announce(randomBytes(32), { mayTell: () => Promise.resolve(false) })).toBe('withdrawn')
    expect(servers.map(({ asked, records }) => asked + records.length)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('any more when the peers are found is told to none of them', async () => {
    await using node = await start([servers[0]!.address])
    let allowed = true
    servers[3]!.onMessage = () => (allowed = false)
    expect(await node.announce(randomBytes(32), { mayTell: () => Promise.resolve(allowed) })).toBe(
      'withdrawn',
    )
    expect(servers.map(({ records }) => records.length)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('who cannot announce says why:', () => {
  test('nobody can be reached', async () => {
    const self = servers[0]!.address.replace(/.*\/p2p\//, '')
    await using node = await start([`/ip4/127.0.0.1/tcp/${await freePort()}/p2p/${self}`])
    await expect(node.announce(randomBytes(32), yes)).rejects.toThrow(
      /^None of the bootstrap nodes can be reached: .*ECONNREFUSED/,
    )
  })

  test('it was told to stop', async () => {
    await using node = await start([servers[0]!.address])
    const stop = new AbortController()
    servers[2]!.onMessage = () => stop.abort(new Error('enough'))
    await expect(node.announce(randomBytes(32), { ...yes, signal: stop.signal })).rejects.toThrow('enough')
  })
})
