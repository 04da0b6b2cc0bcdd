import { contentOf, digestOf, emptyJson, randomImage } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { errorCodesOf, expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { rawTarget } from './raw-request.ts'

const registry = useRegistry()
const digest = digestOf(emptyJson.bytes)

/** What is no name of a repository, as it stands in a request target. */
const badNames = [
  'Upper',
  'a/B',
  'a..b',
  'a.',
  '.a',
  '-a',
  'a-',
  '_a',
  'a_',
  'a___b',
  'a.-b',
  'a._b',
  'a-.b',
  'a_-b',
  'a/-b',
  'a/b-',
  'a//b',
  '/a',
  'a/',
  './a',
  'a/.',
  'a/./b',
  '../a',
  'a/..',
  'a/../b',
  'a/../../b',
  '..',
  '.',
  '...',
  '....//a',
  '%2e%2e',
  '%2e%2e/a',
  'a/%2e%2e/b',
  '..%2fa',
  'a%2fb',
  'a%2Fb',
  'a%252fb',
  'a%5cb',
  'a\\b',
  '..\\a',
  'a%00',
  '%00',
  'a%0ab',
  'a%0d%0aX-Evil:1',
  'a%20b',
  'a+b',
  'a@b',
  'a:b',
  'a:5000/b',
  'a,b',
  'a;b',
  'a&b',
  'a=b',
  'a~b',
  '~',
  '*',
  'a*',
  '$a',
  'a$(id)',
  "a'b",
  'a"b',
  'a|b',
  '<a>',
  '{a}',
  '[a]',
  'a^b',
  'a`b',
  '%',
  'a%',
  'a%2',
  'a%zz',
  '%C3%A4',
  'a%C3%A9',
  '%ef%bc%a1',
  '%e2%80%8b',
  'a%E2%80%AEb',
  '%c0%ae%c0%ae',
  '%ff',
  '%F0%9F%A6%8A',
  'ipfs',
  'ipfs/a',
  'a'.repeat(256),
  'a/'.repeat(127) + 'aa',
  'con/../aux',
  'a/_catalog',
  '_catalog/a',
]

const requests: [method: string, rest: string][] = [
  ['GET', 'manifests/latest'],
  ['HEAD', 'manifests/latest'],
  ['PUT', 'manifests/latest'],
  ['DELETE', 'manifests/latest'],
  ['GET', `blobs/${digest}`],
  ['HEAD', `blobs/${digest}`],
  ['DELETE', `blobs/${digest}`],
  ['POST', 'blobs/uploads/'],
  ['POST', `blobs/uploads/?digest=${digest}`],
  ['POST', `blobs/uploads/?mount=${digest}&from=a`],
  ['PATCH', `blobs/uploads/${'0'.repeat(32)}`],
  ['PUT', `blobs/uploads/${'0'.repeat(32)}?digest=${digest}`],
  ['GET', `referrers/${digest}`],
  ['GET', 'tags/list'],
  ['GET', '_oci/ext/discover'],
]

describe('Names of repositories', () => {
  test.each(badNames)('%s is refused in every request', async (name) => {
    const [repositories, content] = [registry.stored.repositories(), registry.stored.content()]
    for (const [method, rest] of requests) {
      const response = await rawTarget(
        registry.origin,
        method,
        `/v2/${name}/${rest}`,
        'Content-Length: 0\r\n',
      )
      const said = `${method} ${rest}: ${response?.status} ${response?.text()}`
      expect([400, 404], said).toContain(response?.status)
      if (response === null || method === 'HEAD') continue
      // An address that another route or none reads is 404; what is read as a name is 400.
      const codes = errorCodesOf(response)
      expect(
        response.status === 400 ? ['NAME_INVALID', 'UNSUPPORTED'] : ['UNSUPPORTED', 'NAME_UNKNOWN'],
        said,
      ).toContain(codes[0])
      expect(response.text().length, 'nothing long is repeated').toBeLessThan(600)
    }
    expect([registry.stored.repositories(), registry.stored.content()]).toEqual([repositories, content])
  })

  test.each(badNames)('%s is no source of a mount: an ordinary upload follows', async (name) => {
    const target = `/v2/target/blobs/uploads/?mount=${digest}&from=${name}`
    const response = await rawTarget(registry.origin, 'POST', target, 'Content-Length: 0\r\n')
    // Where the target itself is malformed, Node says so.
    expect([202, 400]).toContain(response?.status)
    expect(registry.stored.hasBlob(digest)).toBe(false)
  })

  test('255 characters work in every request, 256 do not', async () => {
    const name = `${registry.random.word(9)}/${'a'.repeat(245)}`
    expect(name.length).toBe(255)
    const repository = registry.repository(name)
    const image = randomImage(registry.random)
    await repository.pushImage(image, 'b'.repeat(128))
    expect((await repository.pullManifest('b'.repeat(128))).status).toBe(200)
    expect((await repository.get('tags/list')).json()).toEqual({ name, tags: ['b'.repeat(128)] })
    expect((await repository.get(`referrers/${image.manifest.digest}`)).status).toBe(200)
    const api = `/api/v1/repositories/${encodeURIComponent(name)}`
    expect((await registry.http.send({ path: api })).json()).toEqual({ name, visibility: 'public' })
    expect((await registry.http.send({ path: `${api}a` })).status).toBe(400)
    expectRefusal(await registry.repository(`${name}a`).get('tags/list'), 400, 'NAME_INVALID')
  })

  test('127 components work', async () => {
    const name = `${'a/'.repeat(127)}b`
    await registry.repository(name).pushImage(randomImage(registry.random), 'v1')
    expect((await registry.repository(name).pullManifest('v1')).status).toBe(200)
  })
})

describe('Tags', () => {
  const badTags = [
    '.a',
    '-a',
    '+a',
    'a b',
    'a+b',
    'a@b',
    'a,b',
    'a"b',
    "a'b",
    'a\\b',
    '..',
    '.',
    'a'.repeat(129),
    'a'.repeat(4000),
    'ä',
    'a\0',
    'a\n',
    'a\r\nX-Evil',
    'a\u200b',
    '🦊',
    '{a}',
    '$(id)',
    'a;b',
    'a|b',
    '%',
    'a%',
    '~',
  ]

  test.each(badTags)('%j is 400 to push and to delete, 404 to pull', async (tag) => {
    const repository = registry.repository()
    const image = randomImage(registry.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const before = registry.stored.content()
    const encoded = encodeURIComponent(tag)
    expectRefusal(await repository.sendManifest(image.manifest, encoded), 400, 'MANIFEST_INVALID')
    const together = `${image.manifest.digest}?tag=good&tag=${encoded}`
    expectRefusal(await repository.sendManifest(image.manifest, together), 400, 'MANIFEST_INVALID')
    expectRefusal(await repository.delete(`manifests/${encoded}`), 400, 'MANIFEST_INVALID')
    expectRefusal(await repository.pullManifest(encoded), 404, 'MANIFEST_UNKNOWN')
    expect(registry.stored.content()).toEqual(before)
  })

  test('a slash, however it is written, leads nowhere else', async () => {
    const repository = registry.repository()
    for (const tag of [
      'a%2Fb',
      'a%2fb',
      '..%2f..%2fx',
      'a%252fb',
      '%2e%2e',
      '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    ]) {
      expectRefusal(await repository.sendManifest(emptyJson, tag), 400, 'MANIFEST_INVALID')
    }
  })

  test('100 tags in one push are taken, 101 are not', async () => {
    const repository = registry.repository()
    const image = randomImage(registry.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const query = (count: number): string =>
      Array.from({ length: count }, (_, number) => `tag=t${number}`).join('&')
    expect(
      (await repository.sendManifest(image.manifest, `${image.manifest.digest}?${query(101)}`)).status,
    ).toBe(414)
    expect((await repository.get('tags/list')).status).toBe(404)
    const response = await repository.sendManifest(image.manifest, `${image.manifest.digest}?${query(100)}`)
    expect(response.status).toBe(201)
    expect(response.headers.get('oci-tag')?.length).toBe(100)
  })
})

describe('Digests', () => {
  const hex = digest.slice('sha256:'.length)
  const badDigests = [
    'sha256:',
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}0`,
    `sha256:${hex.toUpperCase()}`,
    `SHA256:${hex}`,
    `sha256:${hex.replace(/.$/, 'g')}`,
    `sha512:${hex}`,
    `sha256:${hex}%00`,
    `sha256:${hex}%0a`,
    `sha1:${hex.slice(0, 40)}`,
    `sha256+b64:${hex}`,
    `:${hex}`,
    `sha256::${hex}`,
    `sha256-${hex}`,
    'sha256:..%2f..%2fetc%2fpasswd',
    `%20sha256:${hex}`,
    `sha256:${'a'.repeat(5000)}`,
    'x',
    '%',
    '%zz',
    '*',
    `sha256%253A${hex}`,
  ]

  test.each(badDigests)('%s is refused wherever a digest is wanted', async (bad) => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    const upload = await repository.openUpload()
    const before = registry.stored.content()
    for (const [method, path] of [
      ['GET', repository.path(`blobs/${bad}`)],
      ['DELETE', repository.path(`blobs/${bad}`)],
      ['GET', repository.path(`referrers/${bad}`)],
      ['POST', repository.path(`blobs/uploads/?mount=${bad}`)],
      ['POST', repository.path(`blobs/uploads/?digest=${bad}`)],
      ['PUT', `${upload.location}?digest=${bad}`],
    ] as const) {
      const body = method === 'GET' ? {} : { body: 'x' }
      expectRefusal(await registry.http.send({ method, path, ...body }), 400, 'DIGEST_INVALID')
    }
    expect(registry.stored.content()).toEqual(before)
    expect((await upload.status()).status, 'the session lives on').toBe(204)
  })
})

describe('Request targets that lead out of their folder', () => {
  const targets = [
    '/../../../../etc/passwd',
    '/..%2f..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/v2/../../etc/passwd',
    '/v2/..%5c..%5cwindows/win.ini',
    '/v2/a/blobs/../../../etc/passwd',
    '/v2/a/blobs/%2e%2e%2f%2e%2e%2fopenregistry.db',
    '/v2/a/blobs/uploads/../../../../etc/passwd',
    '/v2/a/blobs/uploads/..%2f..%2fopenregistry.db',
    '/v2/a/manifests/../../../openregistry.db',
    '/v2/../data/openregistry.db',
    '/openregistry.db',
    '/data/openregistry.db',
    '/v2/%2fetc%2fpasswd/tags/list',
    '//etc/passwd',
    '///v2/',
    '/./v2/',
    '/v2/./',
    '/v2/.//',
    '/v2/%00',
    '/v2;/',
    '/v2%2f',
    '/api/v1/repositories/..%2f..%2fetc%2fpasswd',
    '/api/v1/repositories/%2e%2e',
    '/api/v1/../../etc/passwd',
    '/api/v1/repositories/a/manifests/..%2f..%2fetc',
    '/.git/config',
    '/.env',
    '/etc/passwd',
    '/v2/_catalog/../../x',
  ]

  test.each(targets)('%s', async (target) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const response = await rawTarget(registry.origin, method, target, 'Content-Length: 0\r\n')
      expect([400, 404, 405], `${method}: ${response?.status}`).toContain(response?.status)
      expect(response?.text()).not.toMatch(/root:|SQLite format/)
      if (method !== 'HEAD')
        expect(response?.header('content-type')).toMatch(/^application\/(problem\+)?json/)
    }
  })

  test('a blob that is there is not reached by any other spelling of its path', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(100))
    await repository.pushBlob(blob)
    const { name } = repository
    for (const target of [
      `/v2/./${name}/blobs/${blob.digest}`,
      `/v2//${name}/blobs/${blob.digest}`,
      `/v2/${name}//blobs/${blob.digest}`,
      `/v2/${name}/blobs//${blob.digest}`,
      `/v2/${name}/blobs/${blob.digest}/`,
      `/v2/${name}/blobs/./${blob.digest}`,
      `/v2/x/../${name}/blobs/${blob.digest}`,
      `/v2/${name.replace('/', '%2F')}/blobs/${blob.digest}`,
      `/V2/${name}/blobs/${blob.digest}`,
      `/v2/${name}/Blobs/${blob.digest}`,
    ]) {
      const response = await rawTarget(registry.origin, 'GET', target)
      expect([400, 404], target).toContain(response?.status)
    }
  })
})
