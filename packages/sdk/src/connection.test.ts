import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from './connection.ts'
import { createRegistryClient } from './registry-client.ts'
import { scriptedFetch } from './scripted-fetch.ts'

const server = 'http://registry.test:5000'

/** What a request to a prepared answer throws. */
async function errorFor(answer: Response | Error, method = 'GET'): Promise<unknown> {
  const { fetch } = scriptedFetch([answer])
  return connect({ server, fetch })
    .send(method, '/v2/')
    .catch((error: unknown) => error)
}

describe('credentials', () => {
  const credentials = { username: 'jürgen', password: 'open:sesame 🗝' }

  test('go to this server, in UTF-8', async () => {
    const { fetch, sent } = scriptedFetch([new Response()])
    await connect({ server: `${server}/`, credentials, fetch }).send('GET', '/v2/')
    const header = sent[0]?.headers.get('authorization') ?? ''
    expect(Buffer.from(header.replace('Basic ', ''), 'base64').toString()).toBe('jürgen:open:sesame 🗝')
    expect(sent[0]?.url).toBe(`${server}/v2/`)
  })

  test('do not go to another one, wherever a Location leads', async () => {
    const { fetch, sent } = scriptedFetch([new Response(), new Response()])
    const connection = connect({ server, credentials, fetch })
    await connection.send('PUT', 'http://evil.test:5000/v2/upload')
    await connection.send('PUT', 'https://registry.test:5000/v2/upload')
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([null, null])
  })
})

describe('errors of answers', () => {
  test('in the form of the distribution specification', async () => {
    const body = {
      errors: [{ code: 'MANIFEST_UNKNOWN', message: 'Not here.', detail: { a: 1 } }, { code: 'OTHER' }],
    }
    expect(await errorFor(Response.json(body, { status: 404 }))).toMatchObject({
      name: 'RegistryClientError',
      status: 404,
      code: 'MANIFEST_UNKNOWN',
      message: 'Not here.',
      detail: { a: 1 },
    })
  })

  test('in the form of RFC 9457', async () => {
    const body = {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'No such.',
      code: 'NAME_UNKNOWN',
    }
    expect(await errorFor(Response.json(body, { status: 404 }))).toMatchObject({
      code: 'NAME_UNKNOWN',
      message: 'No such.',
    })
  })

  test.each([
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
    [404, 'HTTP_404'],
    [429, 'TOOMANYREQUESTS'],
    [502, 'HTTP_502'],
  ])('%d without a body of ours is %s', async (status, code) => {
    for (const body of ['<html>', '', 'null', '[]', '{"errors":"x"}', '{"errors":[null]}']) {
      expect(await errorFor(new Response(body, { status }))).toMatchObject({ status, code })
    }
    expect(await errorFor(new Response(null, { status }), 'HEAD')).toMatchObject({ status, code })
  })

  test('a status can be an answer', async () => {
    const { fetch } = scriptedFetch([new Response('', { status: 404 })])
    expect((await connect({ server, fetch }).send('GET', '/v2/', { accept: [404] })).status).toBe(404)
  })

  test('something else than JSON', async () => {
    const { fetch } = scriptedFetch([new Response('<html>')])
    await expect(connect({ server, fetch }).sendForJson('GET', '/x')).rejects.toMatchObject({
      code: 'NOT_A_REGISTRY',
    })
  })
})

describe('no answer', () => {
  test.each([
    ['ENOTFOUND', 'UNKNOWN_HOST'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'NOT_TLS'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNTRUSTED_CERTIFICATE'],
    ['CERT_HAS_EXPIRED', 'UNTRUSTED_CERTIFICATE'],
    ['ECONNRESET', 'UNREACHABLE'],
  ])('%s is %s', async (system, code) => {
    const cause = Object.assign(new Error('x'), { code: system })
    expect(await errorFor(new TypeError('fetch failed', { cause }))).toMatchObject({ status: null, code })
  })

  test('a browser that says nothing', async () => {
    expect(await errorFor(new TypeError('Failed to fetch'))).toMatchObject({ code: 'UNREACHABLE' })
  })

  test('an abort stays one', async () => {
    expect(await errorFor(new DOMException('x', 'AbortError'))).toMatchObject({ name: 'AbortError' })
  })
})

describe('over a real socket', () => {
  let port = 0
  const http = createServer((request, response) => response.end(JSON.stringify({ path: request.url })))
  afterEach(() => http.close())

  test('nothing listens any more', async () => {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    port = (http.address() as AddressInfo).port
    const client = createRegistryClient({ server: `http://127.0.0.1:${port}` })
    await client.oci.ping()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    await expect(client.oci.ping()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(`http://127.0.0.1:${port}`) as string,
    })
  })
})
