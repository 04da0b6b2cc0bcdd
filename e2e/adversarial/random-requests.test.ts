import { METHODS } from 'node:http'
import { digestOf, emptyJson, randomImage, type HttpResponse } from '@openregistry/testkit'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { errorCodesOf } from '../conformance/expectations.ts'
import { useRegistry, type LocalRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'
import { passwords, usersFile } from './users.ts'

const open = useRegistry()
const guarded = useRegistry({ users: usersFile })
const basic = Buffer.from(`alice:${passwords.alice}`).toString('base64')

beforeAll(async () => {
  for (const [registry, http] of [
    [open, open.http],
    [guarded, guarded.clientOf('alice', passwords.alice)],
  ] as const) {
    await registry.repository('a/b', http).pushImage(randomImage(registry.random), 'v1')
    await registry.repository('a/b', http).pushBlob(emptyJson)
  }
})

/** Parts of targets, the right ones and the almost right ones. */
const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'v2',
      'blobs',
      'manifests',
      'tags',
      'list',
      'uploads',
      'referrers',
      'v1',
      '_catalog',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '_oci',
      'ext',
      'discover',
      'api',
      'repositories',
      'a%2Fb',
      emptyJson.digest,
      '0'.repeat(32),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      '.',
      '..',
      '%',
      '%2e',
      '%2F',
      '%00',
      '%ff',
      '*',
      '\\',
      '~',
      'sha256:',
      'healthz',
      'metrics',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~]{1,20}$/) },
)
const parameter = fc.oneof(
  fc.constantFrom(
    'n=1',
    'n=-1',
    'n=x',
    'last=a',
    'digest=x',
    `digest=${emptyJson.digest}`,
    'mount=x',
    'from=a/b',
    'tag=x',
  ),
  fc.constantFrom(
    `mount=${emptyJson.digest}`,
    'digest-algorithm=md5',
    'artifactType=a/b',
    'n=1&n=2',
    '%',
    '=',
    '&&&',
    'digest',
  ),
  fc.stringMatching(/^[!-~]{1,30}$/),
)
const target = fc
  .tuple(
    fc.constantFrom('/v2/', '/v2/a/', '/v2/a/b/', '/api/v1/', '/', '/v2'),
    fc.array(segment, { maxLength: 5 }),
    fc.array(parameter, { maxLength: 3 }),
  )
  .map(
    ([root, segments, parameters]) =>
      `${root}${segments.join('/')}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`,
  )
const method = fc.oneof(
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'),
  fc.constantFrom(...METHODS),
)
const header = fc.oneof(
  fc.constantFrom(
    'Range: bytes=0-0',
    'Range: x',
    'Content-Range: 0-0',
    'Content-Range: x',
    'If-None-Match: *',
    'Accept: */*',
    'Connection: x',
  ),
  fc.constantFrom(
    'Content-Type: application/vnd.oci.image.index.v1+json',
    'Content-Type: application/json',
    'Expect: 100-continue',
  ),
  fc.constantFrom(
    'Authorization: Basic x',
    'Authorization: Bearer x',
    'Authorization: Basic Og==',
    `Authorization: Basic ${basic}`,
    'Cookie: x=y',
  ),
  fc.constantFrom(
    'Content-Encoding: br',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'TE: trailers',
    'If-Range: x',
    'Accept-Encoding: gzip',
  ),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z-]{1,20}$/), fc.stringMatching(/^[ -~]{0,30}$/))
    .map(([name, value]) => `${name}: ${value}`),
)
const body = fc.oneof(
  fc.constant(''),
  fc.constantFrom('{}', '{"visibility":"public"}', '{"schemaVersion":2,"manifests":[]}', '0\r\n\r\n'),
  fc.string({ maxLength: 50 }),
)

const request = fc.record({
  method,
  target,
  headers: fc.array(header, { maxLength: 4 }),
  body,
  hasLength: fc.boolean(),
})

/** An answer is one of the protocol: never a fault, and under /v2 an error has a code of the specification. */
function expectCivil(response: HttpResponse, method: string, target: string): void {
  expect(response.status, `${response.status}: ${response.text()}`).toBeLessThan(500)
  if (response.status < 400 || method === 'HEAD') return
  if (target.startsWith('/v2/') || response.header('content-type') === 'application/json')
    errorCodesOf(response)
  else expect(response.json()).toMatchObject({ status: response.status })
}

async function expectCivilAnswer(
  registry: LocalRegistry,
  {
    method,
    target,
    headers,
    body,
    hasLength,
  }: { method: string; target: string; headers: string[]; body: string; hasLength: boolean },
): Promise<void> {
  const bytes = Buffer.from(body)
  const length = hasLength ? [`Content-Length: ${bytes.length}`] : []
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${registry.origin.host}`,
    'Connection: close',
    ...length,
    ...headers,
  ]
  const text = `${lines.join('\r\n')}\r\n\r\n${bytes.toString('latin1')}`
  const response = await rawRequest(registry.origin, text, { toHead: method === 'HEAD', ends: true })
  // Null: what was sent is the beginning of a request, and its end is missing.
  if (response !== null) expectCivil(response, method, target)
}

test.each([
  ['open mode', open],
  ['users', guarded],
])('no request is answered with a fault: %s', async (_, registry) => {
  await fc.assert(
    fc.asyncProperty(request, (made) => expectCivilAnswer(registry, made)),
    { numRuns: 500 },
  )
  expect((await registry.http.send({ path: '/healthz' })).status).toBe(200)
})

test('no bytes at all are answered with a fault', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      'GET /v2/ HTTP/1.1',
      `Host: ${'x'}`,
      '',
      'Content-Length: 1',
      'Transfer-Encoding: chunked',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const response = await rawRequest(open.origin, lines.join('\r\n') + '\r\n\r\n', { ends: true })
      if (response !== null) expectCivil(response, 'GET', '')
    }),
    { numRuns: 200 },
  )
})

test('a made-up history of uploads is answered without a fault', async () => {
  type Step = {
    kind: 'patch' | 'put' | 'status' | 'cancel'
    size: number
    start: number | null
    session: number
    right: boolean
  }
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('patch', 'patch', 'put', 'status', 'cancel'),
    size: fc.constantFrom(0, 1, 100, 20_000),
    start: fc.option(fc.constantFrom(0, 1, 100, 20_000, 2 ** 53), { nil: null }),
    session: fc.nat(2),
    right: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const repository = open.repository('a/b')
      const sessions = [
        await repository.openUpload(),
        await repository.openUpload(),
        await repository.openUpload(),
      ]
      const contents = [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)]
      for (const { kind, size, start, session, right } of steps) {
        const upload = sessions[session]!
        const bytes = Buffer.alloc(size, session)
        const headers =
          start === null || size === 0 ? {} : { 'content-range': `${start}-${start + size - 1}` }
        const digest = digestOf(right ? Buffer.concat([contents[session]!, bytes]) : bytes)
        const made = {
          patch: { method: 'PATCH', body: bytes, headers },
          put: { method: 'PUT', body: bytes, headers, query: `digest=${digest}` },
          status: {},
          cancel: { method: 'DELETE' },
        }
        const response = await upload.send(made[kind])
        expectCivil(response, 'GET', '/v2/')
        if (response.status === 202) contents[session] = Buffer.concat([contents[session]!, bytes])
      }
      for (const upload of sessions) await upload.cancel()
      expect(open.stored.strayObjects()).toEqual([])
    }),
    { numRuns: 40 },
  )
})
