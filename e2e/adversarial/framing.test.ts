import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { contentOf, RawConnection, randomImage } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()

/** Sends a body only after `100 Continue`. Resolves with the status, and whether the body was asked for. */
async function expectContinue(
  method: string,
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; asked: boolean }> {
  const { hostname, port } = registry.origin
  let asked = false
  const outgoing = request({
    ...{ hostname, port, method, path, agent: false },
    headers: { expect: '100-continue', 'content-length': String(body.length), ...headers },
  })
  outgoing.on('continue', () => {
    asked = true
    outgoing.end(body)
  })
  outgoing.flushHeaders()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  outgoing.destroy()
  return { status: response.statusCode, asked }
}

describe('Expect: 100-continue', () => {
  test('a body that is wanted is asked for', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(100_000))
    const upload = await repository.openUpload()
    const patched = await expectContinue('PATCH', upload.location, blob.bytes)
    expect(patched).toEqual({ status: 202, asked: true })
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
    const post = repository.path(`blobs/uploads/?digest=${blob.digest}`)
    expect(await expectContinue('POST', post, blob.bytes)).toEqual({ status: 201, asked: true })
    const image = randomImage(registry.random)
    for (const content of image.blobs) await repository.pushBlob(content)
    const put = repository.path('manifests/v1')
    const type = { 'content-type': image.manifest.mediaType }
    expect(await expectContinue('PUT', put, image.manifest.bytes, type)).toEqual({ status: 201, asked: true })
    const api = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
    const change = Buffer.from('{"visibility":"private"}')
    const json = { 'content-type': 'application/json' }
    expect(await expectContinue('PATCH', api, change, json)).toEqual({ status: 200, asked: true })
  })

  test('a body that is refused is not asked for', async () => {
    const repository = registry.repository()
    const upload = await repository.openUpload()
    const bytes = Buffer.alloc(5 * 1024 * 1024)
    const refused = [
      await expectContinue('PATCH', repository.path(`blobs/uploads/${'0'.repeat(32)}`), bytes),
      await expectContinue('PATCH', upload.location, bytes, { 'content-range': '9-99' }),
      await expectContinue('PATCH', upload.location, bytes, { 'content-range': `5-${bytes.length + 4}` }),
      await expectContinue('PUT', `${upload.location}?digest=x`, bytes),
      await expectContinue('PUT', repository.path('manifests/v1'), bytes),
      await expectContinue('POST', repository.path('manifests/v1'), bytes),
      await expectContinue('PUT', '/v2/x', bytes),
      await expectContinue('PUT', '/healthz', bytes),
      await expectContinue('PATCH', upload.location, bytes, { origin: 'http://evil.example' }),
    ]
    expect(refused).toEqual(
      [404, 400, 416, 400, 413, 405, 404, 405, 403].map((status) => ({ status, asked: false })),
    )
  })
})

describe('Requests that do not wait for answers', () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${registry.origin.host}\r\n\r\n`

  test('are answered in order, whatever takes how long', async () => {
    const repository = registry.repository()
    const large = contentOf(registry.random.bytes(3 * 1024 * 1024))
    await repository.pushBlob(large)
    using connection = await RawConnection.open(registry.origin)
    const small = contentOf('small')
    const put =
      `POST ${repository.path(`blobs/uploads/?digest=${small.digest}`)} HTTP/1.1\r\nHost: ${registry.origin.host}\r\n` +
      `Content-Length: ${small.bytes.length}\r\n\r\nsmall`
    const rounds = 5
    for (let round = 0; round < rounds; round++) {
      connection.write(
        get(repository.path(`blobs/${large.digest}`)) +
          put +
          get(repository.path('manifests/x')) +
          get('/healthz'),
      )
    }
    for (let round = 0; round < rounds; round++) {
      expect((await connection.response())?.body.equals(large.bytes)).toBe(true)
      expect((await connection.response())?.status).toBe(201)
      expect((await connection.response())?.status).toBe(404)
      expect((await connection.response())?.text()).toContain('ok')
    }
  })

  test('many of them are all answered', async () => {
    using connection = await RawConnection.open(registry.origin)
    const count = 3000
    const digest = (number: number) => `sha256:${String(number).padStart(64, '0')}`
    connection.write(
      Array.from({ length: count }, (_, number) => get(`/v2/a/referrers/${digest(number)}?n=0`)).join(''),
    )
    for (let number = 0; number < count; number++) expect((await connection.response())?.status).toBe(200)
  })

  test('are not found in the body of another request', async () => {
    const repository = registry.repository()
    await repository.pushImage(randomImage(registry.random), 'v1')
    const hidden = `DELETE ${repository.path('manifests/v1')} HTTP/1.1\r\nHost: ${registry.origin.host}\r\n\r\n`
    using connection = await RawConnection.open(registry.origin)
    for (const path of [
      repository.path(`blobs/uploads/${'0'.repeat(32)}`),
      '/v2/x',
      '/healthz',
      repository.path('tags/list'),
    ]) {
      for (const method of ['PATCH', 'PUT', 'GET']) {
        connection.write(
          `${method} ${path} HTTP/1.1\r\nHost: ${registry.origin.host}\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
        )
        connection.write(get('/v2/_catalog'))
        await connection.response()
        expect((await connection.response())?.json()).toHaveProperty('repositories')
      }
    }
    expect((await repository.pullManifest('v1')).status).toBe(200)
  })

  test('garbage behind a request does not get into its answer', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(7 * 1024 * 1024))
    await repository.pushBlob(blob)
    using connection = await RawConnection.open(registry.origin)
    connection.write(get(repository.path(`blobs/${blob.digest}`)))
    connection.write('GARBAGE\0\r\n\r\n')
    expect((await connection.response())?.body.equals(blob.bytes)).toBe(true)
    expect((await connection.response())?.status).toBe(400)
    await connection.ended()
  })
})
