import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { contactOf } from './contact.ts'
import { dhtNetworks } from './dht-networks.ts'
import { loadLibp2pParts } from './libp2p-parts.ts'

const parts = await loadLibp2pParts()
const [open, local] = dhtNetworks(parts)
const id = Buffer.from(`0024080112${'20'}${'ab'.repeat(32)}`, 'hex')

/** Where a peer with these addresses would be called, when one at this address tells of it. */
function calledAt(network: typeof open, at: string, ...addresses: string[]): string[] {
  const peer = { id, addresses: addresses.map((one) => multiaddr(one).bytes) }
  return contactOf(peer, { network, at: multiaddr(at) }, parts)?.addresses.map(String) ?? []
}

const outside = '/ip4/9.9.9.9/tcp/4001'
const neighbour = '/ip4/10.0.0.9/tcp/4001'

const strange = [
  '/dns/localhost/tcp/4001',
  '/dns4/registry.example/tcp/4001',
  '/ip4/8.8.8.8/udp/4001/quic-v1',
  '/ip4/8.8.8.8/tcp/4001/ws',
  '/ip4/8.8.8.8/tcp/4001/p2p/12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS/p2p-circuit',
]

test('strangers have us call at public addresses of the public network, by TCP, without names and relays', () => {
  const inside = [
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/10.0.0.1/tcp/1',
    '/ip4/169.254.169.254/tcp/80',
    '/ip6/::1/tcp/1',
  ]
  expect(calledAt(open, outside, ...inside, ...strange)).toEqual([])
  const good = ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::1/tcp/4001']
  expect(calledAt(open, outside, ...inside, ...good)).toEqual(good)
})

test('and at no address of IPv6 that a router may translate to a private one', () => {
  const translated = [
    '/ip6/::ffff:7f00:1/tcp/1',
    '/ip6/::7f00:1/tcp/1',
    '/ip6/64:ff9b::a00:1/tcp/1',
    '/ip6/64:ff9b:1::a00:1/tcp/1',
    '/ip6/::ffff:0:a00:1/tcp/1',
    '/ip6/2002:a00:1::/tcp/1',
    '/ip6/fec0::1/tcp/1',
  ]
  for (const one of translated) expect(calledAt(open, outside, one)).toEqual([])
})

test('and at few of them for each peer', () => {
  const many = Array.from({ length: 16 }, (_, at) => `/ip4/8.8.8.${at + 1}/tcp/4001`)
  expect(calledAt(open, outside, ...many)).toEqual(many.slice(0, 4))
})

test('and at private addresses of a local one', () => {
  expect(calledAt(local, neighbour, '/ip4/8.8.8.8/tcp/4001', ...strange)).toEqual([])
  const self = '12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS'
  expect(calledAt(local, neighbour, `/ip4/10.0.0.1/tcp/4001/p2p/${self}`)).toEqual(['/ip4/10.0.0.1/tcp/4001'])
})

test('but at those of this machine, or of its link, only when they are there themselves', () => {
  const here = ['/ip4/127.0.0.1/tcp/5432', '/ip4/0.0.0.0/tcp/5432', '/ip6/::1/tcp/5432', '/ip6/::/tcp/5432']
  const near = ['/ip4/169.254.169.254/tcp/80', '/ip6/fe80::1/tcp/80']
  expect(calledAt(local, neighbour, ...here, ...near, '/ip6/::ffff:7f00:1/tcp/5432')).toEqual([])
  expect(calledAt(local, '/ip4/127.0.0.1/tcp/4001', ...here, ...near)).toEqual(here)
  expect(calledAt(local, '/ip6/fe80::2/tcp/4001', ...here, ...near)).toEqual(near)
})

test('what is no peer, and no address, is passed over', () => {
  const addresses = [Uint8Array.of(0xff, 0xff), new Uint8Array(0), multiaddr('/ip4/8.8.8.8/tcp/1').bytes]
  const told = { network: open, at: multiaddr(outside) }
  expect(contactOf({ id, addresses }, told, parts)?.addresses).toHaveLength(1)
  expect(contactOf({ id: Uint8Array.of(1, 2, 3), addresses }, told, parts)).toBeNull()
  expect(contactOf({ id: new Uint8Array(0), addresses }, told, parts)).toBeNull()
})
