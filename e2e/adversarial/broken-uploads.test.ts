import { setTimeout as delay } from 'node:timers/promises'
import { contentOf, RawConnection, type Content } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from '../conformance/expectations.ts'
import type { UploadSession } from '../conformance/upload-session.ts'
import { useRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'

const registry = useRegistry()
const size = 2 * 1024 * 1024 + 1

/** How the end of the body is announced. */
const framings = {
  'a length': (bytes: Buffer, announced: number) => ({
    headers: `Content-Length: ${announced}\r\n`,
    body: bytes,
  }),
  'a range': (bytes: Buffer, announced: number, start: number) => ({
    headers: `Content-Length: ${announced}\r\nContent-Range: ${start}-${start + announced - 1}\r\n`,
    body: bytes,
  }),
  chunks: (bytes: Buffer) => ({
    headers: 'Transfer-Encoding: chunked\r\n',
    body: Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
  }),
}

/** How a connection ends in the middle of a body. */
const breaks = {
  'the client says that it sends no more': (connection: RawConnection) => connection.end(),
  'a reset': (connection: RawConnection) => connection.reset(),
  'bytes that are no chunk': (connection: RawConnection) => connection.write('no chunk\r\n'),
}

/** Sends a part of a body, and breaks off. */
async function breakOff(
  target: string,
  part: { headers: string; body: Buffer },
  end: (connection: RawConnection) => void,
): Promise<void> {
  using connection = await RawConnection.open(registry.origin)
  connection.write(`${target} HTTP/1.1\r\nHost: ${registry.origin.host}\r\n${part.headers}\r\n`)
  connection.write(part.body)
  end(connection)
  await connection.ended()
}

/** Bytes that the session has. One and none look the same: `0-0`. */
async function standing(upload: UploadSession): Promise<number> {
  const last = Number((await upload.status()).header('range')?.slice('0-'.length))
  return last === 0 ? 0 : last + 1
}

/** Goes on as a client does, from where the registry says; a 416 says where that is by now. */
async function goOn(upload: UploadSession, blob: Content): Promise<void> {
  for (;;) {
    const offset = await standing(upload)
    if (offset === blob.bytes.length) break
    const response = await upload.chunk(blob.bytes.subarray(offset), offset)
    expect([202, 416]).toContain(response.status)
  }
  expect((await upload.finish(blob.digest)).status).toBe(201)
}

describe.each(Object.entries(framings))('A body with %s that breaks off', (framing, frame) => {
  const cases = [0, 2, 16 * 1024, 16 * 1024 + 1, 1024 * 1024 + 7].flatMap((sent) =>
    Object.keys(breaks)
      // Only chunks can be malformed in the middle of a body.
      .filter((how) => framing === 'chunks' || how !== 'bytes that are no chunk')
      .map((how) => ({ sent, how: how as keyof typeof breaks })),
  )

  test.each(cases)('after $sent bytes by $how: PATCH keeps what arrived (ADR 4)', async ({ sent, how }) => {
    const end = breaks[how]
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(size))
    const upload = await repository.openUpload()
    await breakOff(`PATCH ${upload.location}`, frame(blob.bytes.subarray(0, sent), size, 0), end)
    if (end === breaks['the client says that it sends no more']) {
      // Every byte has arrived by then; the part is durable a moment later.
      while ((await standing(upload)) !== sent) await delay(5)
    }
    expect(await standing(upload)).toBeLessThanOrEqual(sent)
    await goOn(upload, blob)
    await expectBlob(repository, blob)
    expect(registry.stored.strayObjects()).toEqual([])
  })

  test('a PUT is never taken for whole, and can be done again', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(size))
    const upload = await repository.openUpload()
    expect((await upload.chunk(blob.bytes.subarray(0, 1000), 0)).status).toBe(202)
    const target = `PUT ${upload.location}?digest=${blob.digest}`
    const rest = blob.bytes.subarray(1000, 600_000)
    await breakOff(target, frame(rest, size - 1000, 1000), breaks['the client says that it sends no more'])
    await expectNoBlob(repository, blob.digest)
    await goOn(upload, blob)
    await expectBlob(repository, blob)
  })

  test('a PUT whose bytes so far have the digest is not taken either', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(50_000))
    const upload = await repository.openUpload()
    const before = registry.stored.content()
    const target = `PUT ${upload.location}?digest=${blob.digest}`
    await breakOff(target, frame(blob.bytes, 50_001, 0), breaks['the client says that it sends no more'])
    while ((await standing(upload)) !== 50_000) await delay(5)
    expect(registry.stored.content()).toEqual(before)
    expect((await upload.finish(blob.digest)).status).toBe(201)
  })

  test('a single POST stores nothing', async () => {
    const repository = registry.repository()
    const blob = contentOf(registry.random.bytes(50_000))
    const before = registry.stored.content()
    const target = `POST ${repository.path(`blobs/uploads/?digest=${blob.digest}`)}`
    for (const end of [breaks['a reset'], breaks['the client says that it sends no more']]) {
      await breakOff(target, frame(blob.bytes.subarray(0, 49_999), 50_000, 0), end)
    }
    await expectNoBlob(repository, blob.digest)
    expect(registry.stored.content()).toEqual(before)
  })

  test('a manifest is not stored', async () => {
    const repository = registry.repository()
    const before = registry.stored.content()
    const index = Buffer.from('{"schemaVersion":2,"manifests":[]}')
    const type = 'Content-Type: application/vnd.oci.image.index.v1+json\r\n'
    const { headers, body } = frame(index, index.length + 1, 0)
    const target = `PUT ${repository.path('manifests/latest')}`
    await breakOff(target, { headers: type + headers, body }, breaks['the client says that it sends no more'])
    expect((await repository.pullManifest('latest')).status).toBe(404)
    expect(registry.stored.content()).toEqual(before)
  })
})

describe('A length that is not true', () => {
  const put = async (headers: string, body: Buffer | string, digest: string) => {
    const repository = registry.repository()
    const upload = await repository.openUpload()
    const request = `PUT ${upload.location}?digest=${digest} HTTP/1.1\r\nHost: ${registry.origin.host}\r\n${headers}\r\n\r\n`
    return rawRequest(registry.origin, request + Buffer.from(body).toString('latin1'))
  }

  test('too short: what is beyond it is no part of the blob', async () => {
    const blob = contentOf(registry.random.bytes(100))
    const before = registry.stored.content()
    const response = await put('Content-Length: 50', blob.bytes, blob.digest)
    expect(response?.status).toBe(400)
    expect(registry.stored.content()).toEqual(before)
    const half = contentOf(blob.bytes.subarray(0, 50))
    expect((await put('Content-Length: 50', blob.bytes, half.digest))?.status).toBe(201)
  })

  test.each([
    ['a range that is shorter than the body', 'Content-Length: 100\r\nContent-Range: 0-49'],
    ['a range that is longer than the body', 'Content-Length: 100\r\nContent-Range: 0-199'],
    ['a range of one byte less', 'Content-Length: 100\r\nContent-Range: 0-98'],
  ])('%s', async (_, headers) => {
    const blob = contentOf(registry.random.bytes(100))
    const before = registry.stored.content()
    const response = await put(headers, blob.bytes, blob.digest)
    if (response !== null) expectRefusal(response, 400, 'SIZE_INVALID')
    expect(response?.status).toBe(400)
    expect(registry.stored.content()).toEqual(before)
  })

  test.each([[50], [99], [101], [5000]])(
    'chunks of 100 bytes that claim %i are refused, and none is kept',
    async (claimed) => {
      const repository = registry.repository()
      const upload = await repository.openUpload()
      const response = await upload.send({
        method: 'PATCH',
        body: registry.random.bytes(100),
        framing: 'chunked',
        headers: { 'content-range': `0-${claimed - 1}` },
      })
      expectRefusal(response, 400, 'SIZE_INVALID')
      expect(await standing(upload)).toBe(0)
      expect(registry.stored.strayObjects()).toEqual([])
    },
  )
})
