import type { Stream } from '@libp2p/interface'
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
    server.misdeed = null
    server.onMessage = () => undefined
    server.onConnect = () => undefined
    server.records.length = 0
    server.asked = 0
    server.identified = 0
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
    // Whatever strangers say of themselves is of no use, and nobody reads it.
    for (const { identified } of servers) expect(identified).toBe(0)
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

describe('what may not be told any more', () => {
  /** Whether it may, and what becomes of it. */
  async function announce(forbid: (no: () => void) => void): Promise<string> {
    await using node = await start([servers[0]!.address])
    let allowed = true
    forbid(() => (allowed = false))
    return await node.announce(randomBytes(32), { mayTell: () => Promise.resolve(allowed) })
  }

  test('is not asked about any more', async () => {
    const outcome = await announce((no) => {
      servers[1]!.onMessage = no
    })
    expect(outcome).toBe('withdrawn')
    expect(servers.map(({ asked }) => asked)).toEqual([1, 1, 0, 0, 0, 0])
  })

  test('is told to nobody to whom the way was long', async () => {
    let connections = 0
    const outcome = await announce((no) => {
      // To the first one the way is short: it has been connected all the time.
      servers[0]!.onMessage = (kind) => (servers[0]!.silent = kind === 'add')
      // All were asked, and one of them is there again to be told.
      for (const server of servers) server.onConnect = () => void (++connections > servers.length && no())
    })
    expect(outcome).toBe('withdrawn')
    expect(servers.map(({ records }) => records.length)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('says so when nobody knows whether it may', async () => {
    await using node = await start([servers[0]!.address])
    let answers = 3
    const mayTell = (): Promise<boolean> =>
      answers-- > 0 ? Promise.resolve(true) : Promise.reject(new Error('The database is away.'))
    await expect(node.announce(randomBytes(32), { mayTell })).rejects.toThrow('The database is away.')
    expect(servers.map(({ records }) => records.length)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('a peer that does not keep to the protocol', () => {
  const names = (count: number, size: number) =>
    Array.from({ length: count }, () => ({ id: randomBytes(36), addresses: [randomBytes(size)] }))
  /** Less than what a peer has that says nothing. */
  const soon = 8000
  const misdeeds: Record<string, (stream: Stream) => void> = {
    'sends no message': (stream) => stream.send(Buffer.concat([Uint8Array.of(100), randomBytes(100)])),
    'sends a group without end': (stream) => stream.send(Uint8Array.of(4, 0x0b, 0x0b, 0x0b, 0x0b)),
    'promises a gigabyte': (stream) => stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 1)),
    'has a length without end': (stream) => stream.send(new Uint8Array(100).fill(0xff)),
    'sends on and on': (stream) => {
      const part = new Uint8Array(65_536).fill(0x80)
      const more = (): void => {
        while (stream.writeStatus === 'writable' && stream.send(part));
      }
      stream.addEventListener('drain', more)
      more()
    },
    'ends the stream': (stream) => void stream.close(),
  }

  test.each(Object.entries(misdeeds))(
    'and %s holds nobody up',
    async (_, misdeed) => {
      servers[1]!.misdeed = misdeed
      servers[0]!.knows = [servers[1]!.peer, servers[2]!.peer]
      await using node = await start([servers[0]!.address])
      expect(await node.announce(randomBytes(32), yes)).toBe('announced')
      expect(servers.map(({ records }) => records.length)).toEqual([1, 0, 1, 1, 1, 1])
      expect(node.peers()).toBe(1)
    },
    soon,
  )

  test('and names thousands of peers that are none holds nobody up', async () => {
    servers[1]!.knows = [...names(200, 60), servers[2]!.peer]
    servers[0]!.knows = [servers[1]!.peer, servers[2]!.peer]
    await using node = await start([servers[0]!.address])
    expect(await node.announce(randomBytes(32), yes)).toBe('announced')
    expect(servers.map(({ records }) => records.length)).toEqual([1, 1, 1, 1, 1, 1])
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
