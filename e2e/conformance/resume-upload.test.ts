import { contentOf, RawConnection, type Content } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob } from './expectations.ts'
import { useTarget } from './target.ts'
import type { UploadSession } from './upload-session.ts'

const target = useTarget()
const mebi = 1024 * 1024

/** Breaks a request off after a part of its body. */
async function breakOff(
  upload: UploadSession,
  method: string,
  headers: Record<string, string>,
  bytes: Uint8Array,
): Promise<void> {
  const request = upload.begin(method, { 'content-type': 'application/octet-stream', ...headers })
  await request.write(bytes)
  request.abort()
  await expect(request.response).rejects.toThrow()
}

/**
 * Goes on as a client does: asks where the upload stands and sends the rest from there. The broken request may still
 * be on its way into the store, so the answer can be 416, and the client asks again.
 */
async function resume(upload: UploadSession, blob: Content): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const status = await upload.status()
    expect(status.status).toBe(204)
    const last = Number(/^0-(\d+)$/.exec(status.header('range') ?? '')?.[1])
    const offset = last === 0 ? 0 : last + 1
    const rest = blob.bytes.subarray(offset)
    const response = rest.length === 0 ? null : await upload.chunk(rest, offset)
    if (response === null || response.status === 202) return offset
    expect(response.status).toBe(416)
  }
  throw new Error('The upload never stood still.')
}

describe('Use Cases, Resumable Push (end-5, end-13)', () => {
  test.each([
    { how: 'PATCH with a range', method: 'PATCH', headers: { 'content-range': `0-${3 * mebi - 1}` } },
    { how: 'PATCH of known length', method: 'PATCH', headers: { 'content-length': String(3 * mebi) } },
    { how: 'PATCH with chunked transfer encoding', method: 'PATCH', headers: {} },
  ])('$how that breaks off can be gone on with', async ({ method, headers }) => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(3 * mebi))
    const upload = await repository.openUpload()
    const length = 'content-range' in headers ? { 'content-length': String(3 * mebi) } : {}
    await breakOff(upload, method, { ...headers, ...length }, blob.bytes.subarray(0, 2 * mebi))
    expect(await resume(upload, blob)).toBeLessThanOrEqual(2 * mebi)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('what was acknowledged before is never sent again', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(3 * mebi))
    const upload = await repository.openUpload()
    await upload.chunk(blob.bytes.subarray(0, mebi), 0)
    const headers = { 'content-range': `${mebi}-${3 * mebi - 1}`, 'content-length': String(2 * mebi) }
    await breakOff(upload, 'PATCH', headers, blob.bytes.subarray(mebi, mebi + 1000))
    expect(await resume(upload, blob)).toBeGreaterThanOrEqual(mebi)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('a PUT that breaks off stores no blob, and can be done again', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(3 * mebi))
    const upload = await repository.openUpload()
    const request = target.http.begin({
      method: 'PUT',
      path: `${upload.location}${upload.location.includes('?') ? '&' : '?'}digest=${blob.digest}`,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.bytes.length) },
    })
    await request.write(blob.bytes.subarray(0, mebi))
    request.abort()
    await expectNoBlob(repository, blob.digest)
    await resume(upload, blob)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('Single POST: a body that breaks off stores nothing', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(mebi))
    const request = target.http.begin({
      method: 'POST',
      path: repository.path(`blobs/uploads/?digest=${blob.digest}`),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(mebi) },
    })
    await request.write(blob.bytes.subarray(0, mebi - 1))
    request.abort()
    await expectNoBlob(repository, blob.digest)
  })

  test('a connection that is reset in the middle of a chunk leaves the session as it was or further', async (context) => {
    target.needsHttp1(context)
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(mebi))
    const upload = await repository.openUpload()
    using raw = await RawConnection.open(target.http.origin)
    raw.write(`PATCH ${upload.location} HTTP/1.1\r\nHost: ${target.http.origin.host}\r\n`)
    raw.write(`Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n\r\n`)
    raw.write(`${(5000).toString(16)}\r\n`)
    raw.write(blob.bytes.subarray(0, 4000))
    raw.reset()
    expect(await resume(upload, blob)).toBeLessThanOrEqual(4000)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })
})
