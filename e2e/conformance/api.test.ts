import { contentOf, descriptorOf, imageIndex, randomImage, RawConnection } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { errorCodesOf, expectRefusal } from './expectations.ts'
import { wantsHttp2 } from './start-registry.ts'
import { useTarget } from './target.ts'

const target = useTarget()

describe('Determining Support (end-1)', () => {
  test('GET and HEAD of /v2/ are 200', async () => {
    for (const method of ['GET', 'HEAD']) {
      expect((await target.http.send({ method, path: '/v2/' })).status).toBe(200)
    }
  })

  test('Legacy Docker support HTTP headers: the version of the API is named', async () => {
    const response = await target.get('/v2/')
    expect(response.header('docker-distribution-api-version')).toBe('registry/2.0')
  })
})

describe('Error Codes', () => {
  const digest = contentOf('nothing').digest

  test.each([
    ['GET', 'x/manifests/absent', 404],
    ['GET', `x/blobs/${digest}`, 404],
    ['GET', 'x/tags/list', 404],
    ['GET', 'x/referrers/nodigest', 400],
    ['DELETE', 'x/manifests/absent', 404],
    ['DELETE', `x/blobs/${digest}`, 404],
    ['PATCH', 'x/blobs/uploads/0', 404],
    ['PUT', `x/blobs/uploads/0?digest=${digest}`, 404],
  ])('%s %s is %i in the form of the specification', async (method, path, status) => {
    const response = await target.http.send({ method, path: `/v2/${target.random.word(12)}${path}` })
    expectRefusal(response, status)
  })

  test.each([
    '/v2/unknown',
    '/v2/x',
    '/v2/x/y/z',
    '/v2/x/tags',
    '/v2/x/tags/other',
    '/v2/x/manifests',
    '/v2/x/blobs',
    '/v2//',
    '/v2/_unknown',
    '/v2/_oci',
    '/v2/_oci/ext/other',
    '/v2/%',
    '/v2/x/manifests/',
    '/v2/x/manifests/a/b',
    '/v2/..%2f..%2fetc/passwd',
  ])('an unknown route is 404 in JSON: %s', async (path) => {
    // Asked for by hand: a client would tidy the path up.
    const response = wantsHttp2() ? await target.get(path) : await target.getByHand(path)
    expect(response?.status).toBe(404)
    if (target.isOurs && response !== null) errorCodesOf(response)
  })

  test.each([
    ['POST', '/v2/'],
    ['DELETE', '/v2/'],
    ['PUT', '/v2/x/tags/list'],
    ['POST', '/v2/x/tags/list'],
    ['POST', '/v2/x/manifests/latest'],
    ['PATCH', '/v2/x/manifests/latest'],
    ['PUT', `/v2/x/blobs/${digest}`],
    ['POST', `/v2/x/blobs/${digest}`],
    ['PUT', `/v2/x/referrers/${digest}`],
    ['GET', '/v2/x/blobs/uploads/'],
    ['PURGE', '/v2/x/manifests/latest'],
    ['OPTIONS', '/v2/x/manifests/latest'],
  ])('%s %s is 405 with Allow', async (method, path) => {
    const response = await target.http.send({ method, path })
    expect([404, 405, 200]).toContain(response.status)
    if (!target.isOurs) return
    expect(response.status).toBe(405)
    expect(errorCodesOf(response)).toEqual(['UNSUPPORTED'])
    expect(response.header('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/)
    expect(response.header('allow')?.split(', ')).not.toContain(method)
  })

  test('a request target without end is 414 or 431', async (context) => {
    target.oursAlone(context)
    const long = await target.get(`/v2/x/tags/list?last=${'x'.repeat(12_000)}`)
    expect([414, 431]).toContain(long.status)
    errorCodesOf(long)
  })

  test('headers without end are 431', async (context) => {
    target.oursAlone(context)
    target.needsHttp1(context)
    using raw = await RawConnection.open(target.http.origin)
    raw.write(
      `GET /v2/ HTTP/1.1\r\nHost: ${target.http.origin.host}\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
    )
    const response = await raw.response()
    expect(response?.status).toBe(431)
    if (response !== null) errorCodesOf(response)
  })

  test('no answer of ours is 5xx for a request that is no HTTP', async (context) => {
    target.oursAlone(context)
    target.needsHttp1(context)
    for (const text of ['GARBAGE\r\n\r\n', 'GET /v2/ HTTP/9.9\r\n\r\n', 'GET\r\n\r\n', '\0\0\0\0\r\n\r\n']) {
      using raw = await RawConnection.open(target.http.origin)
      raw.write(text)
      const response = await raw.response()
      expect(response === null || response.status === 400, text).toBe(true)
    }
  })

  test('every error carries a request id that logs have too', async (context) => {
    target.oursAlone(context)
    const response = await target.get('/v2/x/manifests/absent')
    expect(response.header('x-request-id')).toMatch(/\S/)
  })
})

describe('Warnings', () => {
  test('every Warning has code 299, agent "-", no date, and all of them at most 4096 bytes', async (context) => {
    const repository = target.repository()
    // An index of which nothing is there is what we warn of.
    const children = Array.from({ length: 100 }, () => descriptorOf(randomImage(target.random).manifest))
    const response = await repository.sendManifest(imageIndex({ manifests: children }), 'sparse')
    const warnings = response.headers.get('warning') ?? []
    if (warnings.length === 0) target.oursAlone(context)
    expect(warnings.length).toBeGreaterThan(0)
    for (const warning of warnings) expect(warning).toMatch(/^299 - "(?:[^"\\]|\\.)*"$/)
    expect(warnings.join('').length).toBeLessThanOrEqual(4096)
  })
})

describe('Registry Proxying [main]', () => {
  test('?ns= on a pull is ignored by a registry that is no proxy', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    for (const path of ['manifests/v1', `blobs/${image.blobs[0]?.digest}`, 'tags/list']) {
      const accept = image.manifest.mediaType
      expect((await repository.get(`${path}?ns=docker.io`, { accept })).status).toBe(200)
    }
  })
})

describe('Extensions (_oci/ext/discover)', () => {
  test('the registry and each repository say what they have', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random))
    for (const path of ['/v2/_oci/ext/discover', repository.path('_oci/ext/discover')]) {
      const response = await target.get(path)
      expect(response.status).toBe(200)
      const { extensions } = response.json() as { extensions: Record<string, unknown>[] }
      expect(Array.isArray(extensions)).toBe(true)
      for (const { name, endpoints } of extensions) {
        expect(name).toMatch(/^_/)
        for (const endpoint of (endpoints ?? []) as string[]) {
          const url = endpoint.startsWith('/') ? endpoint : `/v2/${endpoint}`
          const answer = await target.get(url.replace('<name>', repository.name))
          expect(answer.status, `${endpoint} is promised`).toBe(200)
        }
      }
    }
  })
})

describe('OpenRegistry-Cid', () => {
  test('blobs and manifests carry their CID, when they are pushed and when they are pulled', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    const large = contentOf(target.random.bytes(1_500_000))
    await repository.pushBlob(large)
    for (const blob of [...image.blobs, large]) {
      for (const method of ['GET', 'HEAD']) {
        const response = await repository.send(`blobs/${blob.digest}`, { method })
        // CIDv1 in base32: raw (bafkrei…) up to 1 MiB, dag-pb (bafybei…) above.
        const form = blob === large ? /^bafybei[a-z2-7]{52}$/ : /^bafkrei[a-z2-7]{52}$/
        expect(response.header('openregistry-cid')).toMatch(form)
      }
    }
    const again = await repository.pushManifest(image.manifest, 'v2')
    const pulled = await repository.pullManifest('v1')
    expect(again.header('openregistry-cid')).toMatch(/^bafkrei/)
    expect(pulled.header('openregistry-cid')).toBe(again.header('openregistry-cid'))
  })

  test('the CID of small content is its SHA-256 and nothing else', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const empty = contentOf('')
    await repository.pushBlob(empty)
    const response = await repository.head(`blobs/${empty.digest}`)
    const known = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    expect(response.header('openregistry-cid')).toBe(known)
  })
})
