import { expect, test } from 'vitest'
import { gatewayUrl } from './gateway-address.ts'

const local = 'http://127.0.0.1:5001'
const remote = 'https://kubo.internal:5001'

test.each([
  ['/ip4/127.0.0.1/tcp/8080', local, 'http://127.0.0.1:8080'],
  ['/ip4/10.0.0.7/tcp/8080', local, 'http://10.0.0.7:8080'],
  ['/ip4/0.0.0.0/tcp/8080', remote, 'http://kubo.internal:8080'],
  ['/ip6/::/tcp/8080', 'http://[::1]:5001', 'http://[::1]:8080'],
  ['/ip6/::1/tcp/8080', local, 'http://[::1]:8080'],
  ['/ip4/127.0.0.1/tcp/8080', remote, 'http://kubo.internal:8080'],
  ['/dns4/gateway.example/tcp/443/tls/http', remote, 'https://gateway.example:443'],
  [['/unix/tmp/gateway', '/ip4/127.0.0.1/tcp/81'], local, 'http://127.0.0.1:81'],
])('%j beside %s is %s', (configured, api, url) => {
  expect(gatewayUrl(configured, api)).toBe(url)
})

test.each([
  [null],
  [undefined],
  [''],
  [[]],
  ['/unix/tmp/gateway'],
  ['/ip4/1.2.3.4/udp/1/quic'],
  [8080],
  ['a/b/c/d/e'],
])('%j is no gateway', (configured) => {
  expect(gatewayUrl(configured, local)).toBeNull()
})
