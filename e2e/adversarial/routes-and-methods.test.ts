import { METHODS } from 'node:http'
import { digestOf, emptyJson } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { v2Methods as methods, type V2Target as Target } from '@openregistry/server'
import { expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { rawTarget } from './raw-request.ts'

const registry = useRegistry()
const digest = digestOf(emptyJson.bytes)

/** An address for each kind of target; the compiler asks for those of new ones. */
const addresses: Readonly<Record<Target['kind'], string>> = {
  base: '/v2/',
  catalog: '/v2/_catalog',
  extensions: '/v2/_oci/ext/discover',
  tags: '/v2/some/name/tags/list',
  manifest: '/v2/some/name/manifests/latest',
  blob: `/v2/some/name/blobs/${digest}`,
  uploads: '/v2/some/name/blobs/uploads/',
  upload: `/v2/some/name/blobs/uploads/${'0'.repeat(32)}`,
  referrers: `/v2/some/name/referrers/${digest}`,
}

/** Methods that Node's parser knows. CONNECT has no path. */
const allMethods = METHODS.filter((method) => method !== 'CONNECT')

describe('A method that is not possible is 405 with those that are:', () => {
  test.each(Object.entries(addresses))('%s', async (kind, path) => {
    const allowed = methods[kind as Target['kind']]
    const before = registry.stored.content()
    for (const method of allMethods.filter((method) => !allowed.includes(method))) {
      const response = await rawTarget(registry.origin, method, path, 'Content-Length: 0\r\n')
      expect(response?.header('allow'), method).toBe(allowed.join(', '))
      expect(response?.status).toBe(405)
      if (response !== null && method !== 'HEAD') expectRefusal(response, 405, 'UNSUPPORTED')
    }
    expect(registry.stored.content()).toEqual(before)
  })

  test.each([
    ['/', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
    ['/readyz', 'GET, HEAD'],
    ['/metrics', 'GET, HEAD'],
    ['/api/v1/openapi.json', 'GET, HEAD'],
    ['/api/v1/repositories', 'GET, HEAD'],
    ['/api/v1/repositories/a%2Fb', 'GET, HEAD, PATCH, DELETE'],
    ['/api/v1/repositories/a%2Fb/tags', 'GET, HEAD'],
    ['/api/v1/repositories/a%2Fb/manifests/latest', 'GET, HEAD'],
  ])('%s', async (path, allow) => {
    for (const method of allMethods.filter((method) => !allow.split(', ').includes(method))) {
      const response = await rawTarget(registry.origin, method, path, 'Content-Length: 0\r\n')
      expect(response?.status, method).toBe(405)
      expect(response?.header('allow'), method).toBe(allow)
      expect(response?.header('content-type')).toBe('application/problem+json')
      expect(response?.json()).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    }
  })

  test('X-HTTP-Method-Override and its like are no methods', async () => {
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const path = '/v2/some/name/manifests/latest'
      const response = await rawTarget(registry.origin, 'GET', path, `${name}: DELETE\r\n`)
      expect(response?.status).toBe(404)
    }
  })
})

describe('An address that leads nowhere is 404:', () => {
  test.each([
    '/v2/x',
    '/v2/x/',
    '/v2/a/b/c',
    '/v2/_catalog/',
    '/v2/_catalog/x',
    '/v2/_oci',
    '/v2/_oci/ext',
    '/v2/_oci/ext/x',
    '/v2/a/tags',
    '/v2/a/tags/',
    '/v2/a/tags/list/',
    '/v2/a/tags/latest',
    '/v2/a/blobs',
    '/v2/a/manifests',
    '/v2/a/referrers',
    '/v2/a/uploads/',
    '/v2/a/x/uploads/y',
    '/v2/a/_oci/ext/x',
    '/v2/manifests/x',
    '/v2/blobs/x',
    '/v2/tags/list',
    '/v2//',
    '/v2/v1/search',
    '/v2/a/blobs/uploads/x/y',
    '/v2/a/manifests/x/y',
    '/v2/a/_trust/tuf/root.json',
  ])('%s in the words of the specification', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await rawTarget(registry.origin, method, path, 'Content-Length: 0\r\n')
      const statuses = response === null ? [] : [response.status]
      // Some of these are other routes with a name or reference that is none.
      expect([400, 404, 405], `${method} ${statuses.join(', ')}`).toContain(response?.status)
      if (response !== null) expectRefusal(response, response.status)
    }
  })

  test.each(['/v2/x', '/v2/_oci/ext/x', '/v2/a/tags', '/v2/a/x/uploads/y'])(
    '%s is UNSUPPORTED',
    async (path) => {
      expectRefusal(await registry.http.send({ path }), 404, 'UNSUPPORTED')
    },
  )

  test.each([
    '/v1/',
    '/v1/_ping',
    '/v3/',
    '/v2x',
    '/V2/',
    '/token',
    '/x',
    '/api',
    '/api/v1',
    '/api/v1/',
    '/api/v1/x',
    '/api/v2/repositories',
    '/api/v1/repositories/',
    '/api/v1/repositories/a/b',
    '/api/v1/repositories/a%2Fb/',
    '/api/v1/repositories/a%2Fb/x',
    '/favicon.ico',
    '/robots.txt',
    '/index.html',
    '/healthz/',
    '/metrics/x',
    '/debug/pprof/',
    '/.well-known/x',
    '/server-status',
  ])('%s as a problem document', async (path) => {
    const response = await registry.http.send({ path })
    expect(response.status).toBe(404)
    expect(response.header('content-type')).toBe('application/problem+json')
    expect(response.json()).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' })
  })
})

describe('An answer to HEAD', () => {
  test.each([
    ...Object.entries(addresses)
      .filter(([kind]) => methods[kind as Target['kind']].includes('HEAD'))
      .map(([, path]) => path),
    '/',
    '/healthz',
    '/readyz',
    '/api/v1/repositories',
    '/api/v1/repositories/nope',
    '/x',
    '/v2/x',
  ])('%s has the status and the headers of GET and no body', async (path) => {
    const [get, head] = [
      await rawTarget(registry.origin, 'GET', path),
      await rawTarget(registry.origin, 'HEAD', path),
    ]
    expect(head?.status).toBe(get?.status)
    expect(head?.body.length).toBe(0)
    for (const name of ['content-type', 'content-length', 'docker-distribution-api-version']) {
      // A framework need not say the length of what it does not send (RFC 9110, 9.3.2).
      if (head?.header(name) !== null) expect(head?.header(name), name).toBe(get?.header(name))
    }
  })

  test('is the end of it: the next answer on the connection is not mixed up with a body', async () => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    for (const path of [repository.path(`blobs/${digest}`), repository.path('blobs/x'), '/', '/x']) {
      const head = await registry.http.send({ method: 'HEAD', path })
      expect(head.body.length).toBe(0)
      expect((await registry.http.send({ path: '/v2/' })).text()).toBe('{}')
    }
  })
})

describe('What is too large', () => {
  test('a request target is 414', async () => {
    for (const path of [`/v2/${'a'.repeat(9000)}`, `/v2/?${'a'.repeat(9000)}`, `/${'a'.repeat(9000)}`]) {
      expectRefusal(await registry.http.send({ path }), 414, 'SIZE_INVALID')
    }
  })

  test('headers are 431, one long one or many short ones', async () => {
    const long = `X-Long: ${'a'.repeat(17_000)}\r\n`
    const many = Array.from({ length: 3000 }, (_, number) => `X${number}: y\r\n`).join('')
    for (const headers of [long, many, `Authorization: Basic ${'A'.repeat(20_000)}\r\n`]) {
      const response = await rawTarget(registry.origin, 'GET', '/v2/', headers)
      expect(response?.status).toBe(431)
      if (response !== null) expectRefusal(response, 431, 'SIZE_INVALID')
    }
  })

  test('many headers that fit are all read, the last one too', async () => {
    const many = Array.from({ length: 2200 }, () => 'a:\r\n').join('')
    const path = '/v2/_catalog'
    expect((await rawTarget(registry.origin, 'GET', path, many))?.status).toBe(200)
    const response = await rawTarget(registry.origin, 'GET', path, `${many}Origin: http://evil.example\r\n`)
    expect(response?.status, 'Origin is not left out').toBe(403)
  })

  test('the body of the management API is 413', async () => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
    const headers = { 'content-type': 'application/json' }
    const body = Buffer.from(`{"visibility":"private","x":"${'x'.repeat(70_000)}"}`)
    for (const framing of ['length', 'chunked'] as const) {
      const response = await registry.http.send({ method: 'PATCH', path, headers, body, framing })
      expect(response.status).toBe(413)
      expect(response.json()).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
      expect(response.header('content-type')).toBe('application/problem+json')
    }
    expect((await registry.http.send({ path })).json()).toMatchObject({ visibility: 'public' })
  })

  test.each([
    ['[]', 400],
    ['null', 400],
    ['{', 400],
    ['{"visibility":"x"}', 400],
    ['{"visibility":"private","name":"b"}', 400],
    ['{"visibility":["private"]}', 400],
    ['{"visibility":null}', 400],
    ['{}', 400],
    ['{"__proto__":{"visibility":"private"}}', 400],
    [`${'['.repeat(30_000)}`, 400],
  ])('nothing is assigned by %s', async (body, status) => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
    const headers = { 'content-type': 'application/json' }
    const response = await registry.http.send({ method: 'PATCH', path, headers, body })
    expect(response.status).toBe(status)
    expect((await registry.http.send({ path })).json()).toEqual({
      name: repository.name,
      visibility: 'public',
    })
  })
})
