import { digestOf, emptyJson, RawConnection, type HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'
import { passwords, usersFile } from './users.ts'

const registry = useRegistry({ settings: { OPEN_REGISTRY_HTTP_PUBLIC_URL: 'https://registry.example:8443' } })
const digest = digestOf(emptyJson.bytes)

/** One request of every kind, with whether it could change something. */
const requests: [method: string, target: string][] = [
  ['GET', '/'],
  ['GET', '/metrics'],
  ['GET', '/nothing/here'],
  ['GET', '/api/v1/openapi.json'],
  ['GET', '/api/v1/repositories'],
  ['GET', '/api/v1/repositories/open%2Fmode'],
  ['PATCH', '/api/v1/repositories/open%2Fmode'],
  ['DELETE', '/api/v1/repositories/open%2Fmode'],
  ['GET', '/v2/'],
  ['HEAD', '/v2/'],
  ['GET', '/v2/_catalog'],
  ['GET', '/v2/_oci/ext/discover'],
  ['GET', '/v2/open/mode/tags/list'],
  ['GET', `/v2/open/mode/blobs/${digest}`],
  ['DELETE', `/v2/open/mode/blobs/${digest}`],
  ['GET', '/v2/open/mode/manifests/v1'],
  ['PUT', '/v2/open/mode/manifests/v1'],
  ['DELETE', '/v2/open/mode/manifests/v1'],
  ['GET', `/v2/open/mode/referrers/${digest}`],
  ['POST', '/v2/open/mode/blobs/uploads/'],
  ['POST', `/v2/open/mode/blobs/uploads/?digest=${digest}`],
  ['POST', `/v2/other/blobs/uploads/?mount=${digest}&from=open/mode`],
  ['PATCH', `/v2/open/mode/blobs/uploads/${'0'.repeat(32)}`],
  ['OPTIONS', '/v2/open/mode/blobs/uploads/'],
  ['GET', '/v2/nothing'],
]

beforeAll(() => registry.repository('open/mode').pushBlob(emptyJson))

/** Sends a request with exactly these headers. */
function ask(method: string, target: string, headers: readonly string[]): Promise<HttpResponse | null> {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers, 'Content-Length: 0', '', '']
  return rawRequest(registry.origin, lines.join('\r\n'), { toHead: method === 'HEAD' })
}

/** Expects that every request with these headers is 403, and that nothing comes of it. */
async function expectRefused(headers: readonly string[]): Promise<void> {
  const before = [registry.stored.content(), registry.stored.repositories(), registry.stored.openUploads()]
  for (const [method, target] of requests) {
    const response = await ask(method, target, headers)
    expect(response?.status, `${method} ${target}`).toBe(403)
    if (response !== null && method !== 'HEAD') expectRefusal(response, 403, 'DENIED')
    expect(response?.header('access-control-allow-origin') ?? null).toBeNull()
  }
  expect([registry.stored.content(), registry.stored.repositories(), registry.stored.openUploads()]).toEqual(
    before,
  )
}

describe('Open mode does not know the host', () => {
  test.each([
    'evil.example',
    'evil.example:5000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost.',
    'localhost.:5000',
    'registry.example.',
    'x.registry.example',
    'registry.example.evil',
    'registry.example@evil.example',
    'evil.example@localhost',
    'user@127.0.0.1',
    'user:pass@localhost',
    'localhost:5000@evil.example',
    'localhost/evil',
    'localhost#',
    'localhost?x',
    'localhost, evil.example',
    'localhost evil.example',
    'localhost:x',
    'localhost:-1',
    'localhost:5000:5000',
    ':5000',
    '[::1',
    '::1',
    '[localhost]',
    '[::1].evil.example',
    '[::1]x',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '127.0.0.256',
    '%6c%6f%63%61%6c%68%6f%73%74',
    'lоcalhost',
    'localhost%00',
    'xn--lcalhost-0kg',
    '*',
    'null',
    '',
    ' ',
  ])('%j', async (host) => {
    await expectRefused([`Host: ${Buffer.from(host).toString('latin1')}`])
  })

  test('but a balancer that asks how it does need not know its name', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect((await ask('GET', path, ['Host: anything.example']))?.status).toBe(200)
      using connection = await RawConnection.open(registry.origin)
      connection.write(`GET ${path} HTTP/1.0\r\n\r\n`)
      expect((await connection.response())?.status).toBe(200)
    }
  })

  test('however it is spelled in the target', async () => {
    const headers = [`Host: ${registry.origin.host}`]
    const response = await ask('GET', 'http://evil.example/v2/_catalog', headers)
    expect(response?.status).toBe(403)
    expect((await ask('GET', 'http://localhost@evil.example/v2/_catalog', headers))?.status).toBe(403)
    expect((await ask('GET', `http://${registry.origin.host}/v2/_catalog`, headers))?.status).toBe(200)
    // The target counts, as RFC 9112, 3.2.2 has it.
    expect((await ask('GET', 'http://localhost/v2/_catalog', ['Host: evil.example']))?.status).toBe(200)
  })

  test('when there are two, or none', async () => {
    const own = `Host: ${registry.origin.host}`
    for (const headers of [
      [own, 'Host: evil.example'],
      ['Host: evil.example', own],
      [own, own],
      [own, 'host: localhost'],
      [],
    ]) {
      for (const [method, target] of requests) {
        expect((await ask(method, target, headers))?.status, `${method} ${target}`).toBe(400)
      }
    }
  })

  test('from what a proxy says', async () => {
    for (const header of [
      'X-Forwarded-Host: localhost',
      'Forwarded: host=localhost',
      'X-Host: localhost',
      'X-Original-Host: localhost',
    ]) {
      await expectRefused(['Host: evil.example', header])
    }
  })
})

describe('Open mode knows', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'LocalHost:5000',
    '127.0.0.1',
    '127.0.0.1:5000',
    '127.8.8.8',
    '[::1]',
    '[::1]:5000',
    '[0:0::1]',
    '10.1.2.3',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
    'registry.example',
    'registry.example:8443',
    'REGISTRY.EXAMPLE',
    'registry.example:1',
  ])('%s', async (host) => {
    expect((await ask('GET', '/v2/', [`Host: ${host}`]))?.status).toBe(200)
  })

  test.each(['localhost', '127.0.0.1:5000', '[::1]:5000', 'registry.example:8443'])(
    '%s, for people too',
    async (host) => {
      for (const target of ['/', '/healthz', '/metrics', '/api/v1/repositories']) {
        expect((await ask('GET', target, [`Host: ${host}`]))?.status).toBe(200)
      }
    },
  )

  test('the page of its public address', async () => {
    const headers = ['Host: registry.example:8443', 'Origin: https://registry.example:8443']
    expect((await ask('POST', '/v2/from/a/page/blobs/uploads/', headers))?.status).toBe(202)
  })

  test.each([
    ['a person who types the address', ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate']],
    [
      'a link on another site',
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    ],
    ['its own pages', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors']],
    ['its own pages, with their origin', ['Origin: http://localhost:5000', 'Sec-Fetch-Site: same-origin']],
  ])('%s', async (_, headers) => {
    for (const target of ['/', '/v2/', '/v2/_catalog', '/api/v1/repositories', '/healthz']) {
      expect((await ask('GET', target, ['Host: localhost:5000', ...headers]))?.status, target).toBe(200)
    }
  })
})

describe('Open mode takes no requests from pages of others:', () => {
  const own = (): string => `Host: ${registry.origin.host}`

  test.each([
    ['Origin: http://evil.example'],
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Origin: '],
    ['Origin: file://'],
    ['Origin: http://localhost'],
    ['Origin: http://127.0.0.1'],
    ['Origin: http://127.0.0.1:1'],
    ['Origin: chrome-extension://abcdefghijklmnop'],
    ['Origin: http://evil.example, http://127.0.0.1'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'],
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors', 'Origin: http://evil.example'],
    ['Sec-Fetch-Site: same-site', 'Origin: http://localhost:1'],
  ])('%s %s %s', async (...headers) => {
    await expectRefused([own(), ...headers.filter((header) => header !== undefined)])
  })

  test('a form on another site that is sent as a page', async () => {
    const headers = [
      own(),
      'Sec-Fetch-Site: cross-site',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ]
    for (const [method, target] of requests.filter(([method]) => method !== 'GET' && method !== 'HEAD')) {
      expect((await ask(method, target, headers))?.status, `${method} ${target}`).toBe(403)
    }
  })

  test('no preflight is answered with a permission', async () => {
    const headers = [own(), 'Origin: http://evil.example', 'Access-Control-Request-Method: PUT']
    const response = await ask('OPTIONS', '/v2/open/mode/manifests/v1', headers)
    expect(response?.status).toBe(403)
    for (const name of response?.headers.keys() ?? []) expect(name).not.toMatch(/^access-control-/)
  })
})

describe('With passwords, a page of another site cannot use the one that a browser knows', () => {
  const guarded = useRegistry({ users: usersFile })

  test.each([
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
    ['Origin: http://evil.example'],
    ['Origin: null'],
  ])('%s', async (header) => {
    const credentials = Buffer.from(`alice:${passwords.alice}`).toString('base64')
    const headers = [`Host: ${guarded.origin.host}`, `Authorization: Basic ${credentials}`]
    const before = [guarded.stored.content(), guarded.stored.repositories()]
    for (const [method, target] of requests.filter(([method]) => method !== 'GET' && method !== 'HEAD')) {
      const lines = [`${method} ${target} HTTP/1.1`, ...headers, header, 'Content-Length: 0', '', '']
      const response = await rawRequest(guarded.origin, lines.join('\r\n'))
      expect(response?.status, `${method} ${target}`).toBe(403)
    }
    expect([guarded.stored.content(), guarded.stored.repositories()]).toEqual(before)
  })

  test('and any name of the server will do', async () => {
    const response = await rawRequest(
      guarded.origin,
      'GET /v2/_catalog HTTP/1.1\r\nHost: any.example\r\n\r\n',
    )
    expect(response?.status).toBe(200)
  })
})
