import { MemoryBlockView } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { httpMultiaddr, protocolsOf } from './multiaddr.ts'
import { createRouting } from './routing.ts'

const view = new MemoryBlockView()
const { cid } = view.addBlob(Buffer.from('content'))
const routing = createRouting(view, '12D3KooWNV8dGC299pqrtJeLNceT1ewgZKWDQ9ydZu9iGzxQf6ae')

function ask(text: string, query = '', url = 'http://127.0.0.1:5000') {
  return routing.providers({ cid: text, query: new URLSearchParams(query), url: new URL(url) })
}

test('this server has what its gateway shows', async () => {
  expect(await ask(cid)).toEqual([
    {
      Schema: 'peer',
      ID: '12D3KooWNV8dGC299pqrtJeLNceT1ewgZKWDQ9ydZu9iGzxQf6ae',
      Addrs: ['/ip4/127.0.0.1/tcp/5000/http'],
      Protocols: ['transport-ipfs-gateway-http'],
    },
  ])
})

test.each([
  'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  'bafkqaaa',
  'bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs',
  'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8',
])('it has not %s', async (text) => {
  expect(await ask(text)).toEqual([])
})

test.each(['', 'latest', `${'a'.repeat(600)}`])('%j is no CID', async (text) => {
  await expect(ask(text)).rejects.toMatchObject({ code: 'CID_INVALID' })
})

describe('filters (IPIP-484)', () => {
  test.each([
    ['filter-protocols=transport-bitswap,transport-ipfs-gateway-http,unknown', 1],
    ['filter-protocols=Transport-IPFS-Gateway-HTTP', 1],
    ['filter-protocols=transport-bitswap', 0],
    ['filter-protocols=unknown', 0],
    ['filter-protocols=!transport-ipfs-gateway-http', 0],
    ['filter-protocols=!transport-bitswap', 1],
    ['filter-protocols=', 1],
    ['filter-addrs=http', 1],
    ['filter-addrs=tls', 0],
    ['filter-addrs=!http', 0],
    ['filter-addrs=!tls', 1],
    ['filter-addrs=unknown', 0],
    ['filter-addrs=http,!tcp', 0],
    ['filter-addrs=webtransport,tcp', 1],
    ['filter-addrs=tcp&filter-protocols=transport-bitswap', 0],
  ])('%s', async (query, count) => {
    expect(await ask(cid, query)).toHaveLength(count)
  })

  test.each([
    'filter-addrs=a b',
    'filter-addrs=,',
    `filter-protocols=${'a,'.repeat(60)}a`,
    'filter-addrs=!!http',
  ])('refused: %s', async (query) => {
    await expect(ask(cid, query)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' })
  })
})

describe('addresses', () => {
  test.each([
    ['https://registry.example', '/dns/registry.example/tcp/443/tls/http'],
    ['https://registry.example:8443', '/dns/registry.example/tcp/8443/tls/http'],
    ['http://registry.example', '/dns/registry.example/tcp/80/http'],
    ['http://localhost:5000', '/ip4/127.0.0.1/tcp/5000/http'],
    ['https://[2001:db8::1]', '/ip6/2001:db8::1/tcp/443/tls/http'],
  ])('%s is %s', (url, address) => {
    expect(httpMultiaddr(new URL(url))).toBe(address)
  })

  test('are made of protocols', () => {
    expect(protocolsOf('/dns/tcp/tcp/443/tls/http')).toEqual(['dns', 'tcp', 'tls', 'http'])
  })
})
