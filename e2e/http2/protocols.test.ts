import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { contentOf, HttpClient, randomFrom, type Http2Client } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { shared } from '../support/client-test.ts'
import { peerPath, requirePeers } from '../support/peers.ts'
import { SecureRegistry } from './secure-registry.ts'

const needs = ['openssl'] as const
const registry = shared(() => SecureRegistry.start(), needs)
const random = randomFrom('http2 protocols')

/** A test with a client of its own, after which nothing may have gone wrong inside. */
function http2Test(what: string, body: (client: Http2Client) => Promise<void>): void {
  test(`HTTP/2: ${what}`, async (context) => {
    requirePeers(context, needs)
    using client = registry().client()
    await body(client)
    expect(registry().log.takeFaults()).toEqual([])
  })
}

describe('one port with TLS', () => {
  const paths: [path: string, status: number][] = [
    ['/', 200],
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/api/v1/repositories', 200],
    ['/api/v1/openapi.json', 200],
    ['/nothing', 404],
    ['/v2/', 200],
    ['/v2/_catalog', 200],
    ['/v2/absent/tags/list', 404],
    ['/ipfs/bafkqaaa?format=raw', 200],
    ['/ipfs/bafkqaaa', 406],
    ['/routing/v1/providers/bafkqaaa', 200],
    ['/.well-known/rasl/bafkqaaa', 400],
  ]

  http2Test('answers the same to HTTP/2 and HTTP/1.1', async (client) => {
    using old = new HttpClient(registry().origin, { ca: registry().ca })
    for (const [path, status] of paths) {
      for (const method of ['GET', 'HEAD']) {
        const [http2, http1] = await Promise.all([client.send({ method, path }), old.send({ method, path })])
        expect([method, path, http2.status, http1.status]).toEqual([method, path, status, status])
        expect(http2.header('content-type')).toBe(http1.header('content-type'))
        expect(http2.header('connection')).toBeNull()
      }
    }
  })

  http2Test('takes changes over the management API', async (client) => {
    const repository = registry().repository(client)
    await repository.pushBlob(contentOf('something'))
    const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
    const headers = { 'content-type': 'application/json' }
    const changed = await client.send({ method: 'PATCH', path, headers, body: '{"visibility":"private"}' })
    expect([changed.status, changed.json()]).toMatchObject([200, { visibility: 'private' }])
    const refused = await client.send({ method: 'PATCH', path, headers, body: 'x'.repeat(3_000_000) })
    expect(refused.status).toBe(413)
    expect((await client.send({ method: 'DELETE', path })).status).toBe(204)
  })

  test.for([
    ['--http2', '2'],
    ['--http1.1', '1.1'],
  ] as const)('curl %s', async ([option, version], context) => {
    requirePeers(context, [...needs, 'curl'])
    const { origin, authority } = registry()
    const format = '%{http_version} %{http_code} %{size_download}'
    const args = [option, '-sS', '--cacert', authority, '-o', '/dev/null', '-w', format]
    const { stdout } = await promisify(execFile)(peerPath('curl'), [
      ...args,
      `${origin}/ipfs/bafkqaaa?format=raw`,
    ])
    expect(stdout).toBe(`${version} 200 0`)
  })

  http2Test('serves many requests of one connection at once', async (client) => {
    const repository = registry().repository(client)
    const blob = contentOf(random.bytes(300_000))
    await repository.pushBlob(blob)
    const answers = await Promise.all(
      Array.from({ length: 250 }, () => repository.get(`blobs/${blob.digest}`)),
    )
    expect(answers.every(({ status, body }) => status === 200 && body.equals(blob.bytes))).toBe(true)
  })
})

describe('the host of a request', () => {
  const head = { ':method': 'GET', ':path': '/v2/', ':scheme': 'https' }

  http2Test('is its authority', async (client) => {
    const port = client.origin.port
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await client.raw({ ...head, ...headers }).response).status
    expect(await status({ ':authority': `localhost:${port}` })).toBe(200)
    expect(await status({ ':authority': `127.0.0.1:${port}`, host: `127.0.0.1:${port}` })).toBe(200)
    // A name that somebody made to point here, and a request that says two things.
    expect(await status({ ':authority': 'rebound.example' })).toBe(403)
    expect(await status({ ':authority': `127.0.0.1:${port}`, host: 'rebound.example' })).toBe(400)
  })

  http2Test('is asked for on the IPFS surfaces too, the origin is not', async (client) => {
    const { port } = client.origin
    const ask = async (path: string, headers: Record<string, string>): Promise<[number, string | null]> => {
      const answer = await client.raw({ ...head, ':path': path, ...headers }).response
      return [answer.status, answer.header('access-control-allow-origin')]
    }
    const foreign = { origin: 'https://a.page', 'sec-fetch-site': 'cross-site' }
    for (const path of ['/ipfs/bafkqaaa?format=raw', '/routing/v1/providers/bafkqaaa']) {
      expect(await ask(path, { ':authority': `127.0.0.1:${port}`, ...foreign })).toEqual([200, '*'])
      expect(await ask(path, { ':authority': 'rebound.example' })).toEqual([403, null])
      const preflight = { ...foreign, ':method': 'OPTIONS', 'access-control-request-method': 'GET' }
      expect(await ask(path, { ':authority': `127.0.0.1:${port}`, ...preflight })).toEqual([204, '*'])
    }
    expect(await ask('/v2/', { ':authority': `127.0.0.1:${port}`, ...foreign })).toEqual([403, null])
  })
})

test('a connection that nobody uses is ended, and one that is used is not', async (context) => {
  requirePeers(context, needs)
  await using quick = await SecureRegistry.start({ OPEN_REGISTRY_LIMITS_KEEP_ALIVE_TIMEOUT: '300ms' })
  using client = quick.client()
  await client.send({ path: '/v2/' })
  const upload = await quick.repository(client).openUpload()
  const request = upload.begin('PATCH', { 'content-type': 'application/octet-stream' })
  let closed = false
  client.session.once('close', () => (closed = true))
  await request.write(Buffer.from('first'))
  // The connection is silent for longer than it may be without a request.
  using other = quick.client()
  await other.send({ path: '/v2/' })
  await once(other.session, 'close')
  expect(closed).toBe(false)
  await request.write(Buffer.from('second'))
  request.end()
  expect((await request.response).status).toBe(202)
  await expect.poll(() => closed, { timeout: 10_000 }).toBe(true)
})

test('a stop lets a download end, and takes no new request', async (context) => {
  requirePeers(context, needs)
  await using stopping = await SecureRegistry.start()
  using client = stopping.client()
  const repository = stopping.repository(client)
  const blob = contentOf(random.bytes(3_000_000))
  await repository.pushBlob(blob)
  const gate = Promise.withResolvers<void>()
  let chunks = 0
  stopping.faults.beforeChunk = () => (++chunks < 2 ? Promise.resolve() : gate.promise)
  const download = repository.get(`blobs/${blob.digest}`)
  await expect.poll(() => chunks).toBe(2)
  const goaway = once(client.session, 'goaway')
  const stopped = stopping.stop()
  await goaway
  gate.resolve()
  expect((await download).body.equals(blob.bytes)).toBe(true)
  await stopped
  await expect(stopping.client().send({ path: '/v2/' })).rejects.toThrow()
})
