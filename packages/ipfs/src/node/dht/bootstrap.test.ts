import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { decode } from 'multiformats/hashes/digest'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Bootstrap } from './bootstrap.ts'
import { dhtNetworks, type DhtNetwork } from './dht-networks.ts'
import { loadLibp2pParts } from './libp2p-parts.ts'

const parts = await loadLibp2pParts()
const networks = dhtNetworks(parts)
const [open, local] = networks
const id = parts.peerIdFromMultihash(decode(Buffer.from(`0024080112${'20'}${'ab'.repeat(32)}`, 'hex')))
const [far, near] = ['/ip4/8.8.8.8', '/ip4/10.0.0.1'].map(
  (host) => `${host}/tcp/4001/p2p/${id.toString()}`,
) as [string, string]
const { signal } = new AbortController()
const minute = 60_000

/** Addresses that were called, and those where nobody is. */
let called: string[]
let gone: Set<string>
let bootstrap: Bootstrap

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  called = []
  gone = new Set()
  const dial = (address: Multiaddr): Promise<Connection> => {
    called.push(address.toString())
    if (gone.has(address.toString())) return Promise.reject(new Error('Nobody is there.'))
    return Promise.resolve({ remoteAddr: address, remotePeer: id } as unknown as Connection)
  }
  const node = { dial } as unknown as Pick<Libp2p, 'dial'>
  bootstrap = new Bootstrap(
    node,
    [far, near].map((one) => multiaddr(one)),
    networks,
  )
})
afterEach(() => vi.useRealTimers())

const nobody = (): boolean => false
const only =
  (...known: DhtNetwork[]) =>
  (network: DhtNetwork): boolean =>
    known.includes(network)

async function found(isKnown: (network: DhtNetwork) => boolean): Promise<DhtNetwork[]> {
  return (await bootstrap.contacts(isKnown, signal)).map(({ network }) => network)
}

test('a network whose nodes were away is looked for again after a while, beside the other one', async () => {
  gone.add(far)
  expect(await found(nobody)).toEqual([local])
  expect(bootstrap.isDue(only(local))).toBe(false)
  gone.clear()
  vi.advanceTimersByTime(10 * minute)
  expect(bootstrap.isDue(only(local))).toBe(true)
  called = []
  expect(await found(only(local))).toEqual([open])
  expect(called).toEqual([far])
  vi.advanceTimersByTime(60 * minute)
  expect(bootstrap.isDue(only(open, local))).toBe(false)
})

test('a network of which nobody is known any more is looked for again, and the other one is left alone', async () => {
  expect(await found(nobody)).toEqual([open, local])
  vi.advanceTimersByTime(10 * minute)
  called = []
  expect(bootstrap.isDue(only(local))).toBe(true)
  expect(await found(only(local))).toEqual([open])
  expect(called).toEqual([far])
})

test('nobody is called twice at a time, and when there is nobody the reason is told', async () => {
  gone = new Set([far, near])
  const asked = [bootstrap.contacts(nobody, signal), bootstrap.contacts(nobody, signal)]
  for (const one of asked)
    await expect(one).rejects.toThrow('None of the bootstrap nodes can be reached: Nobody is there.')
  expect(called).toHaveLength(2)
})
