import { contentOf, digestOf, emptyJson, RawConnection, type HttpResponse } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectRefusal } from '../conformance/expectations.ts'
import type { UploadSession } from '../conformance/upload-session.ts'
import { useRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'

const kibi = 1024

describe('limits.blob', () => {
  const limit = 100 * kibi
  const registry = useRegistry({ settings: { OPEN_REGISTRY_LIMITS_BLOB: '100KiB' } })

  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield registry.random.bytes(64 * kibi)
  }

  /** Expects 413, no trace of the content, and a session that stands where it stood. */
  async function expectTooLarge(upload: UploadSession, send: () => Promise<HttpResponse>): Promise<void> {
    const before = [registry.stored.content(), (await upload.status()).header('range')]
    expectRefusal(await send(), 413, 'SIZE_INVALID')
    expect([registry.stored.content(), (await upload.status()).header('range')]).toEqual(before)
    expect(registry.stored.strayObjects()).toEqual([])
  }

  test('a blob of exactly that size is taken, in one piece or several', async () => {
    const repository = registry.repository()
    for (const cut of [limit, limit - 1, 1000]) {
      const blob = contentOf(registry.random.bytes(limit))
      const upload = await repository.openUpload()
      expect((await upload.chunk(blob.bytes.subarray(0, cut), 0)).status).toBe(202)
      if (cut < limit) expect((await upload.stream(blob.bytes.subarray(cut), 'chunked')).status).toBe(202)
      // A body without a byte is no byte too many.
      expect((await upload.stream(new Uint8Array(), 'chunked')).status).toBe(202)
      expect((await upload.finish(blob.digest)).status).toBe(201)
      await expectBlob(repository, blob)
    }
  })

  test('a byte more is 413, however it comes', async () => {
    const repository = registry.repository()
    const bytes = registry.random.bytes(limit + 1)
    const upload = await repository.openUpload()
    await expectTooLarge(upload, () => upload.stream(bytes, 'length'))
    await expectTooLarge(upload, () => upload.stream(bytes, 'chunked'))
    await expectTooLarge(upload, () => upload.chunk(bytes, 0))
    await expectTooLarge(upload, () => upload.finish(digestOf(bytes), { body: bytes }))
    const post = repository.path(`blobs/uploads/?digest=${digestOf(bytes)}`)
    await expectTooLarge(upload, () => registry.http.send({ method: 'POST', path: post, body: bytes }))
    await upload.chunk(bytes.subarray(0, limit), 0)
    for (const rest of [bytes.subarray(limit), bytes]) {
      await expectTooLarge(upload, () => upload.stream(rest, 'length'))
      await expectTooLarge(upload, () => upload.stream(rest, 'chunked'))
      await expectTooLarge(upload, () => upload.chunk(rest, limit))
      await expectTooLarge(upload, () => upload.finish(digestOf(bytes), { body: rest, start: limit }))
    }
  })

  test('a body without end is refused while it comes, and the answer can be read', async () => {
    const repository = registry.repository()
    const upload = await repository.openUpload()
    await expectTooLarge(upload, () => upload.stream(endless(), 'chunked'))
    const query = `digest=${digestOf(Buffer.from('x'))}`
    await expectTooLarge(upload, () => upload.send({ method: 'PUT', query, body: endless() }))
  })

  test('a length beyond it is refused before a byte is sent', async () => {
    const upload = await registry.repository().openUpload()
    const request = upload.begin('PATCH', { 'content-length': String(2 ** 40) })
    await request.write(Buffer.from('x'))
    expectRefusal(await request.response, 413, 'SIZE_INVALID')
  })
})

describe('Chunks of any size', () => {
  const registry = useRegistry()

  test('an upload in small ones keeps little of itself in the database', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(110 * 16 * kibi))
    const upload = await repository.openUpload()
    for (let start = 0; start < blob.bytes.length; start += 16 * kibi) {
      expect((await upload.chunk(blob.bytes.subarray(start, start + 16 * kibi), start)).status).toBe(202)
    }
    expect(registry.stored.inlineParts()).toBeLessThan(kibi * kibi + 16 * kibi + 1)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })
})

describe('limits.uploads_per_repository', () => {
  const registry = useRegistry()

  test('1 000 open uploads are taken; one more is 429 with when to come back', async () => {
    const repository = registry.repository()
    const post = () => repository.send('blobs/uploads/', { method: 'POST' })
    const uploads: HttpResponse[] = []
    while (uploads.length < 1000) uploads.push(...(await Promise.all(Array.from({ length: 50 }, post))))
    for (const { status } of uploads) expect(status).toBe(202)
    const { digest, bytes } = emptyJson
    const refused = [
      await post(),
      await repository.send(`blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes }),
      await repository.send(`blobs/uploads/?mount=${digest}`, { method: 'POST' }),
    ]
    for (const response of refused) {
      expectRefusal(response, 429, 'TOOMANYREQUESTS')
      expect(Number(response.header('retry-after'))).toBeGreaterThan(0)
    }
    expect((await registry.repository().send('blobs/uploads/', { method: 'POST' })).status, 'elsewhere').toBe(
      202,
    )
    const location = uploads[0]?.header('location') ?? ''
    expect((await registry.http.send({ method: 'DELETE', path: location })).status).toBe(204)
    expect((await post()).status, 'one has ended').toBe(202)
    expect((await post()).status).toBe(429)
    // Clients that race for the last place do not get two.
    const last = uploads.slice(1, 4).map((response) => response.header('location') ?? '')
    for (const path of last) await registry.http.send({ method: 'DELETE', path })
    const race = await Promise.all(Array.from({ length: 20 }, post))
    expect(race.filter(({ status }) => status === 202).length).toBe(3)
  })
})

describe('limits.connections', () => {
  const registry = useRegistry({ settings: { OPEN_REGISTRY_LIMITS_CONNECTIONS: '10' } })

  test('one more is closed, and there is room again when another has gone', async () => {
    const connections = await Promise.all(
      Array.from({ length: 10 }, () => RawConnection.open(registry.origin)),
    )
    const request = `GET /v2/ HTTP/1.1\r\nHost: ${registry.origin.host}\r\n\r\n`
    for (const connection of connections) {
      connection.write(request)
      expect((await connection.response())?.status).toBe(200)
    }
    expect(await rawRequest(registry.origin, request), 'the eleventh').toBeNull()
    connections[0]?.write(request)
    expect((await connections[0]?.response())?.status, 'the others go on').toBe(200)
    for (const connection of connections) connection[Symbol.dispose]()
    // They are gone here; the server hears of it in a moment.
    let again = await rawRequest(registry.origin, request)
    while (again === null) again = await rawRequest(registry.origin, request)
    expect(again.status).toBe(200)
  })
})
