import { contentOf, type Content } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()

describe.each([
  { kind: 'small', size: 2048 },
  { kind: 'large', size: 2 * 1024 * 1024 + 100 },
])('Pulling blobs: Range (RFC 9110, 14) of a $kind blob', ({ size }) => {
  let repository: Repository
  let blob: Content

  beforeAll(async () => {
    repository = target.repository()
    blob = contentOf(target.random.bytes(size))
    await repository.pushBlob(blob)
  })

  const pull = (range: string) => repository.get(`blobs/${blob.digest}`, { range })

  test.each([
    ['0-0', 0, 0],
    ['500-1499', 500, 1499],
    ['500-', 500, size - 1],
    ['-500', size - 500, size - 1],
    [`0-${size - 1}`, 0, size - 1],
    [`0-${size}`, 0, size - 1],
    [`${size - 1}-`, size - 1, size - 1],
    [`${size - 48}-${size + 5000}`, size - 48, size - 1],
    [`-${size + 1}`, 0, size - 1],
    [`0-${'9'.repeat(30)}`, 0, size - 1],
    ['0000-0001', 0, 1],
  ])('bytes=%s is 206 with bytes %i to %i', async (range, first, last) => {
    const response = await pull(`bytes=${range}`)
    expect(response.status).toBe(206)
    expect(response.header('content-range')).toBe(`bytes ${first}-${last}/${size}`)
    expect(response.header('content-length')).toBe(String(last - first + 1))
    expect(response.body.equals(blob.bytes.subarray(first, last + 1))).toBe(true)
  })

  test.each([`${size}-`, `${size}-${size + 10}`, '50000000-50000010', '-0', '9'.repeat(30) + '-'])(
    'bytes=%s lies outside: 416 with the size',
    async (range) => {
      const response = await pull(`bytes=${range}`)
      expect(response.status).toBe(416)
      expect(response.header('content-range')).toBe(`bytes */${size}`)
    },
  )

  test('a reversed range is 416 or ignored, as the newest official runner and RFC 9110 want it', async () => {
    const response = await pull('bytes=500-0')
    expect([200, 416]).toContain(response.status)
    if (response.status === 200) expect(response.body.equals(blob.bytes)).toBe(true)
  })

  test.each(['lines=0-1', 'bytes=', 'bytes=a-b', 'bytes', 'bytes=1.5-2', 'bytes=--1'])(
    '%s is not understood: it is ignored (14.2), or 416',
    async (range) => {
      const response = await pull(range)
      expect([200, 416]).toContain(response.status)
      if (response.status === 200) expect(response.body.equals(blob.bytes)).toBe(true)
    },
  )

  test('several ranges are answered whole, in parts, or not at all, but never wrongly', async () => {
    const response = await pull('bytes=0-0,10-19')
    expect([200, 206, 416]).toContain(response.status)
    if (response.status === 200) expect(response.body.equals(blob.bytes)).toBe(true)
    if (response.status === 206) {
      expect(response.header('content-type')).toMatch(/^multipart\/byteranges/)
    }
  })

  test('a thousand ranges do not multiply the answer', async () => {
    const response = await pull(`bytes=${Array.from({ length: 1000 }, (_, index) => `0-${index}`).join(',')}`)
    expect([200, 206, 416]).toContain(response.status)
    expect(response.body.length).toBeLessThan(4 * size + 100_000)
  })

  test('what can be sought says so', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await repository.send(`blobs/${blob.digest}`, { method })
      expect(response.header('accept-ranges')).toBe('bytes')
    }
  })

  test('a range of HEAD is not an error', async () => {
    const response = await repository.head(`blobs/${blob.digest}`, { range: 'bytes=0-9' })
    expect([200, 206]).toContain(response.status)
  })
})

describe('Pulling blobs: Range (RFC 9110, 14)', () => {
  test('an empty blob has no range but the whole', async () => {
    const repository = target.repository()
    const empty = contentOf('')
    await repository.pushBlob(empty)
    const response = await repository.get(`blobs/${empty.digest}`, { range: 'bytes=0-0' })
    expect([200, 416]).toContain(response.status)
    expect(response.status === 200 ? response.body.length : 0).toBe(0)
  })

  test('a refused range tells why in JSON', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const blob = contentOf('ten bytes.')
    await repository.pushBlob(blob)
    expectRefusal(await repository.get(`blobs/${blob.digest}`, { range: 'bytes=10-' }), 416, 'SIZE_INVALID')
    expect((await repository.get(`blobs/${blob.digest}`, { range: 'bytes=5-4' })).status).toBe(416)
  })
})
