import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { contactOf } from './contact.ts'
import { dhtNetworks } from './dht-networks.ts'
import { loadLibp2pParts } from './libp2p-parts.ts'

const parts = await loadLibp2pParts()
const [open, local] = dhtNetworks(parts)
const id = Buffer.from(`0024080112${'20'}${'ab'.repeat(32)}`, 'hex')

/** Where a peer with these addresses would be called. */
function calledAt(network: typeof open, ...addresses: string[]): string[] {
  const contact = contactOf({ id, addresses: addresses.map((one) => multiaddr(one).bytes) }, network, parts)
  return contact?.addresses.map(String) ?? []
}

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
  expect(calledAt(open, ...inside, ...strange, '/ip6/::ffff:7f00:1/tcp/1')).toEqual([])
  const good = ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::1/tcp/4001']
  expect(calledAt(open, ...inside, ...good)).toEqual(good)
})

test('and at private addresses of a local one', () => {
  expect(calledAt(local, '/ip4/8.8.8.8/tcp/4001', ...strange)).toEqual([])
  const self = '12D3KooWNzSp4xoS4LbQtq1uNaYcJhtdL63TtD78fadCgj9vLEYS'
  expect(calledAt(local, `/ip4/10.0.0.1/tcp/4001/p2p/${self}`)).toEqual(['/ip4/10.0.0.1/tcp/4001'])
})

test('what is no peer, and no address, is passed over', () => {
  const addresses = [Uint8Array.of(0xff, 0xff), new Uint8Array(0), multiaddr('/ip4/8.8.8.8/tcp/1').bytes]
  expect(contactOf({ id, addresses }, open, parts)?.addresses).toHaveLength(1)
  expect(contactOf({ id: Uint8Array.of(1, 2, 3), addresses }, open, parts)).toBeNull()
  expect(contactOf({ id: new Uint8Array(0), addresses }, open, parts)).toBeNull()
})
