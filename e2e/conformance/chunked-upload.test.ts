import { contentOf } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from './expectations.ts'
import { useTarget } from './target.ts'
import type { UploadSession } from './upload-session.ts'

const target = useTarget()
const size = 3000
const step = 1000

function threeChunks() {
  const blob = contentOf(target.random.bytes(size))
  const chunk = (index: number) => blob.bytes.subarray(index * step, (index + 1) * step)
  return { blob, chunk }
}

/** Expects that a session is alive and holds this many bytes. */
async function expectOffset(upload: UploadSession, offset: number): Promise<void> {
  const response = await upload.status()
  expect(response.status).toBe(204)
  expect(response.body).toHaveLength(0)
  expect(response.header('location')).not.toBeNull()
  // Before the first byte there is no last one; `0-0` is what clients can read.
  expect(response.header('range')).toBe(`0-${Math.max(0, offset - 1)}`)
}

describe('Pushing a blob in chunks (end-5, end-6, end-13)', () => {
  test('each chunk is 202 with Location and Range, and the status agrees', async () => {
    const repository = target.repository()
    const { blob, chunk } = threeChunks()
    const upload = await repository.openUpload()
    await expectOffset(upload, 0)
    for (let index = 0; index < 3; index++) {
      const response = await upload.chunk(chunk(index), index * step)
      expect(response.status).toBe(202)
      expect(response.header('location')).not.toBeNull()
      expect(response.header('range')).toBe(`0-${(index + 1) * step - 1}`)
      await expectOffset(upload, (index + 1) * step)
    }
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test.each([
    { what: 'a chunk that skips ahead', sent: 1, start: 2 * step },
    { what: 'a chunk again', sent: 2, start: step },
    { what: 'the first chunk again', sent: 1, start: 0 },
    { what: 'a chunk that overlaps', sent: 1, start: step - 1 },
    { what: 'a chunk that leaves one byte out', sent: 1, start: step + 1 },
    { what: 'a first chunk that does not begin at 0', sent: 0, start: step },
  ])('$what is 416, and the upload goes on from where it was', async ({ sent, start }) => {
    const repository = target.repository()
    const { blob, chunk } = threeChunks()
    const upload = await repository.openUpload()
    for (let index = 0; index < sent; index++) await upload.chunk(chunk(index), index * step)
    expect((await upload.chunk(chunk(1), start)).status).toBe(416)
    await expectOffset(upload, sent * step)
    for (let index = sent; index < 3; index++) {
      expect((await upload.chunk(chunk(index), index * step)).status).toBe(202)
    }
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('[main] a last chunk in the PUT that is out of order is 416, and the session lives on', async () => {
    const repository = target.repository()
    const { blob, chunk } = threeChunks()
    const upload = await repository.openUpload()
    for (const sent of [0, 1]) {
      if (sent > 0) await upload.chunk(chunk(0), 0)
      const response = await upload.finish(blob.digest, { body: chunk(2), start: 2 * step })
      expect(response.status).toBe(416)
      await expectOffset(upload, sent * step)
    }
    await expectNoBlob(repository, blob.digest)
    await upload.chunk(chunk(1), step)
    const response = await upload.finish(blob.digest, { body: chunk(2), start: 2 * step })
    expect(response.status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('416 says where to go on, so that no further request is needed', async (context) => {
    target.oursAlone(context)
    const upload = await target.repository().openUpload()
    const { chunk } = threeChunks()
    await upload.chunk(chunk(0), 0)
    const response = await upload.chunk(chunk(2), 2 * step)
    expectRefusal(response, 416, 'BLOB_UPLOAD_INVALID')
    expect(response.header('range')).toBe(`0-${step - 1}`)
    expect(response.header('location')).toBe(upload.location)
  })

  test.each(['abc', '0', '0-', '-99', '99-0', '0-99,100-199', '0-9e9', '-1-98'])(
    'Content-Range: %s is refused, and stores nothing',
    async (range) => {
      const upload = await target.repository().openUpload()
      const response = await upload.send({
        method: 'PATCH',
        headers: { 'content-type': 'application/octet-stream', 'content-range': range },
        body: target.random.bytes(100),
      })
      expect([400, 416]).toContain(response.status)
      await expectOffset(upload, 0)
    },
  )

  test('Content-Range as RFC 9110, 14.4 has it is taken too', async (context) => {
    target.oursAlone(context)
    const upload = await target.repository().openUpload()
    const headers = { 'content-type': 'application/octet-stream', 'content-range': 'bytes 0-99/*' }
    const response = await upload.send({ method: 'PATCH', headers, body: target.random.bytes(100) })
    expect(response.status).toBe(202)
    await expectOffset(upload, 100)
  })

  test.each(['0-98', '0-100', '0-99999999999999999999'])(
    'Content-Range: %s for 100 bytes is refused, and stores nothing',
    async (range) => {
      const upload = await target.repository().openUpload()
      const headers = { 'content-type': 'application/octet-stream', 'content-range': range }
      const response = await upload.send({ method: 'PATCH', headers, body: target.random.bytes(100) })
      expect([400, 416]).toContain(response.status)
      await expectOffset(upload, 0)
    },
  )

  test('a minimum length of chunks, if there is one, is a number', async () => {
    const { opened } = await target.repository().openUpload()
    expect(opened.header('oci-chunk-min-length') ?? '1').toMatch(/^[1-9]\d*$/)
  })

  test('many chunks of one byte come together', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(40))
    const upload = await repository.openUpload()
    for (let at = 0; at < 40; at++) {
      expect((await upload.chunk(blob.bytes.subarray(at, at + 1), at)).status).toBe(202)
    }
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('chunks of several sizes and both kinds of PATCH come together', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(3_000_000))
    const upload = await repository.openUpload()
    await upload.chunk(blob.bytes.subarray(0, 10), 0)
    await upload.stream(blob.bytes.subarray(10, 1_500_000), 'length')
    await upload.chunk(blob.bytes.subarray(1_500_000, 1_500_001), 1_500_000)
    const last = { body: blob.bytes.subarray(1_500_001), start: 1_500_001 }
    expect((await upload.finish(blob.digest, last)).status).toBe(201)
    await expectBlob(repository, blob)
  })
})

describe('An upload session (end-5, end-6, end-13, end-14)', () => {
  /** Every request to a session that is not there has to say so. */
  async function expectUnknown(upload: UploadSession): Promise<void> {
    const digest = contentOf('abc').digest
    const code = 'BLOB_UPLOAD_UNKNOWN'
    expectRefusal(await upload.status(), 404, code)
    expectRefusal(await upload.chunk(Buffer.from('abc'), 0), 404, code)
    expectRefusal(await upload.stream(Buffer.from('abc'), 'length'), 404, code)
    expectRefusal(await upload.finish(digest, { body: Buffer.from('abc') }), 404, code)
    expectRefusal(await upload.finish(digest), 404, code)
    expectRefusal(await upload.cancel(), 404, code)
  }

  test('is unknown once it is closed', async () => {
    const repository = target.repository()
    const upload = await repository.openUpload()
    const blob = contentOf(target.random.bytes(10))
    await upload.finish(blob.digest, { body: blob.bytes })
    await expectUnknown(upload)
    await expectBlob(repository, blob)
  })

  test('Cancel a blob upload: DELETE is 204, and the session is unknown then', async () => {
    const repository = target.repository()
    for (const begun of [false, true]) {
      const upload = await repository.openUpload()
      const blob = contentOf(target.random.bytes(100_000))
      if (begun) await upload.chunk(blob.bytes, 0)
      const response = await upload.cancel()
      expect(response.status).toBe(204)
      expect(response.body).toHaveLength(0)
      await expectUnknown(upload)
      await expectNoBlob(repository, blob.digest)
    }
  })

  test('is unknown when its id was made up', async () => {
    const repository = target.repository()
    const { location } = await repository.openUpload()
    const id = new URL(location, 'http://x').pathname.split('/').at(-1) ?? ''
    const madeUp = id.replaceAll(/[^-]/g, (digit) => (digit === '0' ? '1' : '0'))
    for (const text of [madeUp, 'x', '..%2f..', `${id}0`]) {
      const response = await repository.get(`blobs/uploads/${text}`)
      expectRefusal(response, 404)
    }
  })

  test('belongs to its repository', async () => {
    const [here, elsewhere] = [target.repository(), target.repository()]
    await elsewhere.pushBlob(contentOf(target.random.bytes(3)))
    const upload = await here.openUpload()
    const path = upload.location.replace(here.name, elsewhere.name)
    const request = { path, headers: { 'content-length': '0' } }
    expectRefusal(await target.get(path), 404)
    expectRefusal(await target.http.send({ ...request, method: 'DELETE' }), 404)
    expectRefusal(await target.http.send({ path, method: 'PATCH', body: 'abc' }), 404)
    expect((await upload.status()).status).toBe(204)
  })
})
