import { contentOf, type Content } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectDigestHeader, expectRefusal } from './expectations.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()

async function pushed(size: number): Promise<{ repository: Repository; blob: Content }> {
  const repository = target.repository()
  const blob = contentOf(target.random.bytes(size))
  await repository.pushBlob(blob)
  return { repository, blob }
}

describe('Pulling blobs (end-2)', () => {
  test.each([0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 7])(
    'GET of %i bytes is 200 and gives them',
    async (size) => {
      const { repository, blob } = await pushed(size)
      const response = await repository.get(`blobs/${blob.digest}`)
      expect(response.status).toBe(200)
      expect(response.body.equals(blob.bytes)).toBe(true)
      expect(response.header('content-length')).toBe(String(size))
    },
  )

  test('[main] Docker-Content-Digest is a digest of the body', async () => {
    const { repository, blob } = await pushed(100)
    expectDigestHeader(await repository.get(`blobs/${blob.digest}`), blob)
  })

  test('a blob that is not there is 404 BLOB_UNKNOWN', async () => {
    const { repository } = await pushed(10)
    const absent = contentOf(target.random.bytes(10)).digest
    expectRefusal(await repository.get(`blobs/${absent}`), 404, 'BLOB_UNKNOWN')
  })

  test('a blob of another repository is 404, whatever is asked for', async () => {
    const { blob } = await pushed(10)
    const here = (await pushed(10)).repository
    expectRefusal(await here.get(`blobs/${blob.digest}`), 404, 'BLOB_UNKNOWN')
    expectRefusal(await here.get(`blobs/${blob.digest}`, { range: 'bytes=0-1' }), 404)
    expect((await here.head(`blobs/${blob.digest}`)).status).toBe(404)
  })

  test('a repository that does not exist is 404', async () => {
    expectRefusal(await target.repository().get(`blobs/${contentOf('x').digest}`), 404)
  })

  test.each([
    'sha256:short',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha256:${'A'.repeat(64)}`,
    'latest',
    `sha256:${'g'.repeat(64)}`,
  ])('%s is no digest: 400 DIGEST_INVALID or 404', async (text) => {
    const { repository } = await pushed(10)
    const response = await repository.get(`blobs/${text}`)
    expect([400, 404]).toContain(response.status)
    expectRefusal(response, response.status, response.status === 400 ? 'DIGEST_INVALID' : 'BLOB_UNKNOWN')
  })

  test('a digest may be percent-encoded (RFC 3986, 2.1)', async () => {
    const { repository, blob } = await pushed(10)
    const response = await repository.get(`blobs/${encodeURIComponent(blob.digest)}`)
    expect(response.status).toBe(200)
    expect(response.body.equals(blob.bytes)).toBe(true)
  })

  test('a blob is never encoded on its way', async () => {
    const { repository, blob } = await pushed(5000)
    const response = await repository.get(`blobs/${blob.digest}`, { 'accept-encoding': 'gzip, zstd, br' })
    expect(response.header('content-encoding')).toBeNull()
    expect(response.body.equals(blob.bytes)).toBe(true)
  })
})

describe('Pulling blobs: conditional requests (RFC 9110, 13)', () => {
  test('If-None-Match with the entity tag is 304', async () => {
    const { repository, blob } = await pushed(100)
    const etag = (await repository.get(`blobs/${blob.digest}`)).header('etag') ?? ''
    expect(etag).toMatch(/^"[^"]+"$/)
    const response = await repository.get(`blobs/${blob.digest}`, { 'if-none-match': etag })
    expect(response.status).toBe(304)
    expect(response.body).toHaveLength(0)
    const head = await repository.head(`blobs/${blob.digest}`, { 'if-none-match': etag })
    expect(head.status).toBe(304)
  })

  test('content under its digest may be kept for ever', async (context) => {
    target.oursAlone(context)
    const { repository, blob } = await pushed(100)
    const response = await repository.get(`blobs/${blob.digest}`)
    expect(response.header('cache-control')).toMatch(/max-age=31536000/)
  })

  test('If-Range with another entity tag gives the whole blob', async () => {
    const { repository, blob } = await pushed(100)
    const range = { range: 'bytes=10-19' }
    const etag = (await repository.get(`blobs/${blob.digest}`)).header('etag') ?? ''
    const same = await repository.get(`blobs/${blob.digest}`, { ...range, 'if-range': etag })
    expect(same.status).toBe(206)
    const other = await repository.get(`blobs/${blob.digest}`, { ...range, 'if-range': '"other"' })
    expect(other.status).toBe(200)
    expect(other.body.equals(blob.bytes)).toBe(true)
  })
})
