import { contentOf, digestOf, emptyJson, HttpClient, type HttpResponse } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from '../conformance/expectations.ts'
import type { UploadSession } from '../conformance/upload-session.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()

/** Every request to a session. */
function requests(upload: Pick<UploadSession, 'send'>): Record<string, () => Promise<HttpResponse>> {
  const bytes = Buffer.from('bytes')
  const query = `digest=${digestOf(bytes)}`
  return {
    status: () => upload.send({}),
    PATCH: () => upload.send({ method: 'PATCH', body: bytes }),
    'a ranged PATCH': () =>
      upload.send({ method: 'PATCH', body: bytes, headers: { 'content-range': '0-4' } }),
    'a PUT with a body': () => upload.send({ method: 'PUT', query, body: bytes }),
    'an empty PUT': () => upload.send({ method: 'PUT', query, headers: { 'content-length': '0' } }),
    DELETE: () => upload.send({ method: 'DELETE' }),
  }
}

/** Asks for a session at any path. */
function sessionAt(http: HttpClient, path: string): Pick<UploadSession, 'send'> {
  return {
    send: ({ query, ...request }) =>
      http.send({ ...request, path: query === undefined ? path : `${path}?${query}` }),
  }
}

/** Expects that each request is answered as if the session had never been, and changes nothing. */
async function expectUnknown(upload: Pick<UploadSession, 'send'>): Promise<void> {
  const before = [registry.stored.content(), registry.stored.openUploads()]
  for (const [name, request] of Object.entries(requests(upload))) {
    const response = await request()
    expect(response.status, name).toBe(404)
    expectRefusal(response, 404, 'BLOB_UPLOAD_UNKNOWN')
  }
  expect([registry.stored.content(), registry.stored.openUploads()]).toEqual(before)
}

describe('A session is unknown', () => {
  test('in another repository, and goes on in its own', async () => {
    const [here, elsewhere] = [registry.repository(), registry.repository()]
    await elsewhere.pushBlob(emptyJson)
    const upload = await here.openUpload()
    const id = upload.location.split('/').at(-1) ?? ''
    await expectUnknown(sessionAt(registry.http, elsewhere.path(`blobs/uploads/${id}`)))
    await expectUnknown(sessionAt(registry.http, `/v2/never/was/blobs/uploads/${id}`))
    expect((await upload.status()).status).toBe(204)
    const blob = contentOf('bytes')
    expect((await upload.finish(blob.digest, { body: blob.bytes })).status).toBe(201)
  })

  test.each([
    '00000000000000000000000000000000',
    'x',
    '0',
    '..',
    '%2e%2e',
    '%00',
    "'",
    '%27%20OR%201=1',
    'ffffffffffffffffffffffffffffffff',
    '00000000-0000-0000-0000-000000000000',
    'a'.repeat(31),
    'a'.repeat(33),
    'A'.repeat(32),
    'a'.repeat(5000),
    '%ff',
  ])('when its id is made up: %s', async (id) => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    await expectUnknown(sessionAt(registry.http, repository.path(`blobs/uploads/${id}`)))
  })

  test('in every spelling of its id but its own', async () => {
    const repository = registry.repository()
    const upload = await repository.openUpload()
    const id = upload.location.split('/').at(-1) ?? ''
    for (const other of [
      id.toUpperCase() === id ? `${id}0` : id.toUpperCase(),
      `${id}%00`,
      `%20${id}`,
      `${id}.`,
    ]) {
      await expectUnknown(sessionAt(registry.http, repository.path(`blobs/uploads/${other}`)))
    }
    expect((await upload.status()).status).toBe(204)
  })

  test('once it has ended: by its PUT, by a wrong digest, by DELETE, with its repository', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(40_000))
    const ends: ((upload: UploadSession) => Promise<HttpResponse>)[] = [
      (upload) => upload.finish(blob.digest, { body: blob.bytes }),
      (upload) => upload.finish(digestOf(Buffer.from('other')), { body: blob.bytes }),
      (upload) => upload.cancel(),
      () => {
        const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}`
        return registry.http.send({ method: 'DELETE', path })
      },
    ]
    for (const end of ends) {
      const upload = await repository.openUpload()
      expect((await upload.stream(blob.bytes.subarray(0, 0), 'length')).status).toBe(202)
      expect([201, 400, 204]).toContain((await end(upload)).status)
      await expectUnknown(upload)
    }
  })
})

describe('Two clients on one session', () => {
  test.each([1000, 40_000])(
    'chunks of %i bytes for one place: one is taken, the other is told where to go on',
    async (size) => {
      const repository = registry.repository()
      const blob = contentOf(registry.random.bytes(3 * size))
      for (let round = 0; round < 10; round++) {
        const upload = await repository.openUpload()
        const first = blob.bytes.subarray(0, size)
        const answers = await Promise.all([
          upload.chunk(first, 0),
          upload.chunk(first, 0),
          upload.chunk(first, 0),
        ])
        expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([202, 416, 416])
        for (const answer of answers.filter(({ status }) => status === 416)) {
          expectRefusal(answer, 416, 'BLOB_UPLOAD_INVALID')
          expect(answer.header('range')).toBe(`0-${size - 1}`)
          expect(answer.header('location')).toBe(upload.location)
        }
        expect((await upload.chunk(blob.bytes.subarray(size, 2 * size), size)).status).toBe(202)
        const last = { body: blob.bytes.subarray(2 * size), start: 2 * size }
        expect((await upload.finish(blob.digest, last)).status).toBe(201)
        await expectBlob(repository, blob)
      }
      expect(registry.stored.strayObjects()).toEqual([])
    },
  )

  test('streams at once: what the session says is what it has', async () => {
    const repository = registry.repository()
    const [one, two] = [registry.random.bytes(50_000), registry.random.bytes(50_000)]
    for (let round = 0; round < 10; round++) {
      const upload = await repository.openUpload()
      const answers = await Promise.all([upload.stream(one, 'chunked'), upload.stream(two, 'chunked')])
      const taken = answers.flatMap(({ status }, index) => (status === 202 ? [index === 0 ? one : two] : []))
      expect(taken.length).toBeGreaterThan(0)
      // Both may have been taken, one after the other, in either order.
      const possible = [digestOf(Buffer.concat(taken)), digestOf(Buffer.concat(taken.toReversed()))]
      const all = taken.reduce((sum, bytes) => sum + bytes.length, 0)
      expect((await upload.status()).header('range')).toBe(`0-${all - 1}`)
      const response = await upload.finish(digestOf(Buffer.from('none of them')))
      expectRefusal(response, 400, 'DIGEST_INVALID')
      const [error] = (response.json() as { errors: { detail: { actual: string } }[] }).errors
      expect(possible).toContain(error?.detail.actual)
    }
  })

  test('PUTs at once: one blob, and nothing is answered with a fault', async () => {
    const repository = registry.repository()
    for (let round = 0; round < 10; round++) {
      const blob = contentOf(registry.random.bytes(40_000))
      const upload = await repository.openUpload()
      const put = () => upload.finish(blob.digest, { body: blob.bytes })
      const statuses = (await Promise.all([put(), put(), put()])).map(({ status }) => status)
      expect(statuses.filter((status) => status === 201).length).toBe(1)
      for (const status of statuses) expect([201, 404, 416]).toContain(status)
      await expectBlob(repository, blob)
    }
    expect(registry.stored.strayObjects()).toEqual([])
  })

  test('a PUT and a cancellation at once: the blob is there, or it is not, as was answered', async () => {
    const repository = registry.repository()
    for (let round = 0; round < 10; round++) {
      const blob = contentOf(registry.random.bytes(40_000))
      const upload = await repository.openUpload()
      const [put, cancelled] = await Promise.all([
        upload.finish(blob.digest, { body: blob.bytes }),
        registry.http.send({ method: 'DELETE', path: upload.location }),
      ])
      expect([201, 404, 416]).toContain(put.status)
      expect([204, 404]).toContain(cancelled.status)
      if (put.status === 201) await expectBlob(repository, blob)
      else await expectNoBlob(repository, blob.digest)
    }
    expect(registry.stored.strayObjects()).toEqual([])
  })
})

test('an offset that is stale, ahead, or overlaps is 416 with where to go on, and nothing is lost', async () => {
  const repository = registry.repository()
  const blob = contentOf(registry.random.bytes(100_000))
  const upload = await repository.openUpload()
  await upload.chunk(blob.bytes.subarray(0, 40_000), 0)
  for (const start of [0, 1, 39_999, 40_001, 99_999, 2 ** 40]) {
    for (const method of ['PATCH', 'PUT']) {
      const response = await upload.send({
        method,
        query: `digest=${blob.digest}`,
        body: blob.bytes.subarray(0, 1000),
        headers: { 'content-range': `${start}-${start + 999}` },
      })
      expectRefusal(response, 416, 'BLOB_UPLOAD_INVALID')
      expect(response.header('range')).toBe('0-39999')
    }
  }
  expect((await upload.chunk(blob.bytes.subarray(40_000), 40_000)).status).toBe(202)
  expect((await upload.finish(blob.digest)).status).toBe(201)
  await expectBlob(repository, blob)
})
