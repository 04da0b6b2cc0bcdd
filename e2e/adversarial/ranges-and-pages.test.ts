import { contentOf, randomArtifact, randomImage, descriptorOf, type Content } from '@openregistry/testkit'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from '../conformance/expectations.ts'
import type { Repository } from '../conformance/repository.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()

/** What RFC 9110, 14.2 asks of one range: the slice that it means, or null when no byte is in it. */
function slice(bytes: Buffer, first: string, last: string): Buffer | null {
  const size = bytes.length
  const [from, to] = [Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1)]
  if (first === '') return Number(last) === 0 ? null : bytes.subarray(Math.max(0, size - Number(last)))
  return from > to ? null : bytes.subarray(from, to + 1)
}

describe.each([1, 1000, 50_000])('Ranges of a blob of %i bytes', (size) => {
  let repository: Repository
  let blob: Content

  beforeAll(async () => {
    repository = registry.repository()
    blob = contentOf(registry.random.bytes(size))
    await repository.pushBlob(blob)
  })

  const pull = (range: string) => repository.get(`blobs/${blob.digest}`, { range })

  test('any two numbers give the bytes that they mean, or 416 with the size', async () => {
    const number = fc.oneof(
      fc.constant(''),
      fc.integer({ min: 0, max: size + 2 }).map(String),
      fc.constantFrom('0', '00', String(size - 1), String(size), '9007199254740993', '9'.repeat(40)),
    )
    await fc.assert(
      fc.asyncProperty(number, number, async (first, last) => {
        fc.pre(first !== '' || last !== '')
        const response = await pull(`bytes=${first}-${last}`)
        const expected = slice(blob.bytes, first, last)
        if (expected === null) {
          expectRefusal(response, 416, 'SIZE_INVALID')
          expect(response.header('content-range')).toBe(`bytes */${size}`)
        } else {
          expect(response.status).toBe(206)
          expect(response.body.equals(expected)).toBe(true)
          const start = expected.byteOffset - blob.bytes.byteOffset
          const range = `bytes ${start}-${start + expected.length - 1}/${size}`
          expect(response.header('content-range')).toBe(range)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('any other text gives the whole blob, or 416, and nothing else', async () => {
    const text = fc.oneof(
      fc.stringMatching(/^bytes=[0-9, -]{0,30}$/),
      fc.stringMatching(/^[a-z]{1,8}=[0-9]{1,3}-[0-9]{0,3}$/),
      fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, .x*/'.split('')), maxLength: 40 }),
    )
    await fc.assert(
      fc.asyncProperty(text, async (range) => {
        const response = await pull(range)
        expect([200, 206, 416]).toContain(response.status)
        if (response.status === 200) expect(response.body.equals(blob.bytes)).toBe(true)
        if (response.status === 206) expect(response.body.length).toBeLessThanOrEqual(size)
      }),
      { numRuns: 100 },
    )
  })

  test('as many ranges as fit into a request are not many answers', async () => {
    const response = await pull(`bytes=${'0-,'.repeat(4000)}0-`)
    expect([200, 416]).toContain(response.status)
    expect(response.body.length).toBeLessThanOrEqual(Math.max(size, 1000))
  })
})

describe('Lists', () => {
  let repository: Repository
  let subject: Content
  /** Each list with the path that asks for it, and how many entries it has. */
  let lists: { path: string; count: number; entries: (body: unknown) => unknown[] }[]

  beforeAll(async () => {
    repository = registry.repository()
    const image = randomImage(registry.random)
    subject = image.manifest
    for (const tag of ['a', 'b', 'c', 'd', 'e']) await repository.pushImage(image, tag)
    for (let number = 0; number < 5; number++) {
      const subjectDescriptor = descriptorOf(subject)
      await repository.pushImage(
        randomArtifact(registry.random, { artifactType: 'a/b', subject: subjectDescriptor }),
      )
      await registry.repository().pushImage(image, 'v1')
    }
    const api = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
    type Body = Record<string, unknown[]>
    lists = [
      { path: repository.path('tags/list'), count: 5, entries: (body) => (body as Body)['tags'] ?? [] },
      { path: '/v2/_catalog', count: 6, entries: (body) => (body as Body)['repositories'] ?? [] },
      {
        path: repository.path(`referrers/${subject.digest}`),
        count: 5,
        entries: (body) => (body as Body)['manifests'] ?? [],
      },
      { path: `${api}/tags`, count: 5, entries: (body) => (body as Body)['tags'] ?? [] },
      { path: '/api/v1/repositories', count: 6, entries: (body) => (body as Body)['repositories'] ?? [] },
    ]
  })

  test.each([
    '-1',
    '1.5',
    'x',
    '1e3',
    '0x10',
    '%2B1',
    '%20',
    '1%00',
    '9'.repeat(400),
    'NaN',
    'Infinity',
    '٣',
    '1,2',
  ])('n=%s is 400, or taken for a number', async (n) => {
    for (const { path, entries, count } of lists) {
      const response = await registry.http.send({ path: `${path}?n=${encodeURI(n).replaceAll('%25', '%')}` })
      expect([200, 400], `${path}: ${response.text()}`).toContain(response.status)
      if (response.status === 200) expect(entries(response.json()).length).toBeLessThanOrEqual(count)
      if (path.startsWith('/v2') && response.status === 400) expectRefusal(response, 400, 'UNSUPPORTED')
    }
  })

  test.each(['-1', '-9999999999', 'abc', '1.5'])('n=%s is 400 everywhere', async (n) => {
    for (const { path } of lists) {
      expect((await registry.http.send({ path: `${path}?n=${n}` })).status, path).toBe(400)
    }
  })

  test.each(['1000000000000', '9007199254740991', '999999999999999999', '10001'])(
    'n=%s is clamped',
    async (n) => {
      for (const { path, entries, count } of lists) {
        const response = await registry.http.send({ path: `${path}?n=${n}` })
        // The management API says so where a number is beyond exact ones.
        if (path.startsWith('/api') && response.status === 400) continue
        expect(response.status, `${path}: ${response.text()}`).toBe(200)
        expect(entries(response.json()).length).toBe(count)
        expect(response.header('link')).toBeNull()
      }
    },
  )

  test('n=0 is an empty page, not an endless one', async () => {
    for (const { path, entries } of lists) {
      const response = await registry.http.send({ path: `${path}?n=0` })
      expect(response.status, path).toBe(200)
      expect(entries(response.json())).toEqual([])
      expect(response.header('link')).toBeNull()
    }
  })

  test('any made-up page token gives a page of what is there, in order', async () => {
    const token = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        '',
        '\0',
        "' OR 1=1 --",
        '%',
        '_',
        '\u{10ffff}',
        '\uffff',
        '../..',
        'x'.repeat(3000),
        'sha256:',
        'c',
      ),
    )
    await fc.assert(
      fc.asyncProperty(token, fc.constantFrom('', '1', '2', '1000'), async (last, n) => {
        for (const { path, count, entries } of lists) {
          const query = new URLSearchParams(n === '' ? { last } : { n, last })
          const response = await registry.http.send({ path: `${path}?${query.toString()}` })
          expect(response.status, `${path}?${query.toString()}: ${response.text()}`).toBe(200)
          expect(entries(response.json()).length).toBeLessThanOrEqual(n === '' ? count : Number(n))
        }
      }),
      { numRuns: 40 },
    )
  })

  test.each(['%zz', '%', '%ff%fe', '%00', 'a&last=b', '[]', '%26', '%23'])(
    'last=%s is no fault',
    async (last) => {
      for (const { path } of lists) {
        const response = await registry.http.send({ path: `${path}?last=${last}&n=2` })
        expect([200, 400], path).toContain(response.status)
      }
    },
  )

  test.each([
    'artifactType=',
    'artifactType=%00',
    'artifactType=a%2Fb%0d%0aX:1',
    `artifactType=${'a'.repeat(5000)}`,
  ])('referrers?%s is no fault', async (query) => {
    const response = await repository.get(`referrers/${subject.digest}?${query}&n=1`)
    expect(response.status).toBe(200)
  })
})
