import { peerId } from '@openregistry/dag'
import { expect, test } from 'vitest'
import { parsePeerAddress } from './peer-address.ts'

const peer = peerId(new Uint8Array(32).fill(7))

test.each([
  [`/ip4/192.0.2.1/tcp/4001/p2p/${peer}`, '192.0.2.1:4001'],
  [`/ip6/2001:db8::1/tcp/1/p2p/${peer}`, '[2001:db8::1]:1'],
  [`/dns4/kubo.example.org/tcp/65535/p2p/${peer}`, 'kubo.example.org:65535'],
  [`/dns6/kubo/tcp/4001/p2p/${peer}`, 'kubo:4001'],
  [
    `/dns/kubo.example.org/tcp/4001/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`,
    'kubo.example.org:4001',
  ],
])('%s is an address', (text, host) => {
  expect(parsePeerAddress(text)).toEqual({ text, host })
})

test.each([
  'https://ipfs.example.org',
  '',
  peer,
  `/p2p/${peer}`,
  '/ip4/192.0.2.1/tcp/4001',
  '/ip4/192.0.2.1/tcp/4001/p2p/',
  '/ip4/192.0.2.1/tcp/4001/p2p/somebody',
  '/ip4/192.0.2.1/tcp/4001/p2p/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  `/ip4/192.0.2.1/tcp/4001/p2p/${peer}/p2p-circuit`,
  `/ip4/192.0.2.1/tcp/0/p2p/${peer}`,
  `/ip4/192.0.2.1/tcp/65536/p2p/${peer}`,
  `/ip4/192.0.2.1/udp/4001/quic-v1/p2p/${peer}`,
  `/ip4/192.0.2.1/tcp/4001/ws/p2p/${peer}`,
  `/ip4/192.0.2/tcp/4001/p2p/${peer}`,
  `/ip4/2001:db8::1/tcp/4001/p2p/${peer}`,
  `/ip6/192.0.2.1/tcp/4001/p2p/${peer}`,
  `/dns4/-@example/tcp/4001/p2p/${peer}`,
  `/dns4/${'a'.repeat(254)}/tcp/4001/p2p/${peer}`,
])('%s is none', (text) => {
  expect(parsePeerAddress(text)).toBeNull()
})
