import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { freePort } from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bitswapProtocols } from '../bitswap/protocols.ts'
import { contactAt, type Contact } from './contact.ts'
import { SharedConnections } from './shared-connections.ts'

const { signal } = new AbortController()
let [node, other]: Libp2p[] = []
let contact: Contact
let connections: SharedConnections

async function start(): Promise<Libp2p> {
  const [{ createLibp2p }, { tcp }, { noise }, { yamux }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@libp2p/noise'),
    import('@libp2p/yamux'),
  ])
  return await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    ...{ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] },
    connectionManager: { inboundConnectionThreshold: 1000 },
  })
}

beforeAll(async () => {
  ;[node, other] = [await start(), await start()]
  await other.handle([...bitswapProtocols], () => undefined)
  contact = contactAt(other.peerId, [addressOf(other).decapsulate('/p2p')])
})
afterAll(() => Promise.all([node?.stop(), other?.stop()]))

beforeEach(async () => {
  for (const connection of node!.getConnections()) await connection.close()
  connections = new SharedConnections(node!)
})

const addressOf = (one: Libp2p) => one.getMultiaddrs()[0]!
const open = (): number => node!.getConnections(contact.peer).length
const remembered = async (): Promise<number> => (await node!.peerStore.all()).length
const nothing = (): Promise<void> => Promise.resolve()

test('a connection is there for as long as one of its questions takes', async () => {
  const questions = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const runs = questions.map(({ promise }) => connections.with(contact, signal, () => promise))
  await expect.poll(open).toBe(1)
  questions[0]!.resolve()
  await runs[0]
  expect(open()).toBe(1)
  questions[1]!.resolve()
  await runs[1]
  expect(open()).toBe(0)
})

test('whoever asks while one is being closed gets another one', async () => {
  const ids: string[] = []
  const note = async ({ id, status }: { id: string; status: string }): Promise<void> => {
    expect(status).toBe('open')
    ids.push(id)
  }
  const first = connections.with(contact, signal, async (connection) => {
    await note(connection)
    // Begins when this one is over, and its connection is not yet gone.
    queueMicrotask(() => queueMicrotask(() => void later()))
  })
  const laterDone = Promise.withResolvers<void>()
  const later = async (): Promise<void> => {
    await connections.with(contact, signal, note)
    laterDone.resolve()
  }
  await Promise.all([first, laterDone.promise])
  expect(new Set(ids).size).toBe(2)
  expect(open()).toBe(0)
})

test('one that was there before stays', async () => {
  await node!.dial(addressOf(other!))
  await connections.with(contact, signal, nothing)
  expect(open()).toBe(1)
})

test('one on which somebody has begun to fetch stays', async () => {
  await connections.with(contact, signal, async (connection) => {
    await connection.newStream([...bitswapProtocols])
  })
  expect(open()).toBe(1)
})

test('nobody is remembered, least of all whom nobody could reach', async () => {
  const gone = contactAt(contact.peer, [multiaddr(`/ip4/127.0.0.1/tcp/${await freePort()}`)])
  await expect(connections.with(gone, signal, nothing)).rejects.toThrow('ECONNREFUSED')
  expect(await remembered()).toBe(0)
  await connections.with(contact, signal, nothing)
  expect(await remembered()).toBe(0)
})
