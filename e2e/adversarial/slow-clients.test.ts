import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { mediaTypes } from '@openregistry/oci'
import { contentOf, RawConnection, type HttpResponse } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectRefusal } from '../conformance/expectations.ts'
import { requireProc, useChildRegistry } from './child-registry.ts'
import { useRegistry } from './local-registry.ts'

/** Limits that are minutes in earnest. */
const impatient = {
  OPEN_REGISTRY_LIMITS_HEADERS_TIMEOUT: '300ms',
  OPEN_REGISTRY_LIMITS_IDLE_TIMEOUT: '400ms',
  OPEN_REGISTRY_LIMITS_MIN_RATE: '2000',
  OPEN_REGISTRY_LIMITS_KEEP_ALIVE_TIMEOUT: '300ms',
}
const registry = useRegistry({ settings: impatient })
const host = (): string => `Host: ${registry.origin.host}\r\n`

/** Sends a head and then its body byte by byte, until the server has had enough. */
async function trickle(head: string, size = 10_000): Promise<HttpResponse | null> {
  using connection = await RawConnection.open(registry.origin)
  connection.write(head)
  const sent = await connection.trickle(Buffer.alloc(size, 'x'), { size: 1, interval: 20 })
  expect(sent, 'the server ends it').toBeLessThan(size)
  return await connection.response()
}

// Side by side: they wait most of the time.
describe.concurrent('A client that is too slow', () => {
  test.each([
    ['says nothing', ''],
    ['sends a header a byte at a time', 'GET /v2/ HTTP/1.1\r\n'],
    ['sends headers without end', `GET /v2/ HTTP/1.1\r\nX: `],
  ])('%s: 408, and the connection ends', async (_, head) => {
    const response = head === '' ? await silence() : await trickle(head)
    expect(response?.status).toBe(408)
    if (response !== null) expectRefusal(response, 408)
  })

  test('says nothing more after an answer: the connection ends', async () => {
    using connection = await RawConnection.open(registry.origin)
    connection.write(`GET /v2/ HTTP/1.1\r\n${host()}\r\n`)
    expect((await connection.response())?.status).toBe(200)
    await connection.ended()
  })

  test('sends a hundred of them at once: others are served meanwhile', async () => {
    const slow = Array.from({ length: 100 }, () => trickle('GET /v2/ HTTP/1.1\r\nX: '))
    for (let round = 0; round < 20; round++) {
      expect((await registry.http.send({ path: '/v2/' })).status).toBe(200)
    }
    for (const response of await Promise.all(slow)) expect(response?.status).toBe(408)
  })

  test('sends a blob a byte at a time: 408 with advice, and what arrived is kept', async () => {
    const repository = registry.repository()
    const upload = await repository.openUpload()
    const response = await trickle(
      `PATCH ${upload.location} HTTP/1.1\r\n${host()}Content-Length: 10000\r\n\r\n`,
    )
    expect(response?.status).toBe(408)
    if (response !== null) expectRefusal(response, 408, 'BLOB_UPLOAD_INVALID')
    expect(response?.text()).toContain('go on')
    expect(response?.header('connection')).toBe('close')
    while ((await upload.status()).header('range') === '0-0') await delay(5)
    const kept = Number((await upload.status()).header('range')?.slice(2)) + 1
    const blob = contentOf('x'.repeat(kept))
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('sends the last chunk of a blob a byte at a time: no blob, and the session goes on', async () => {
    const repository = registry.repository()
    const blob = contentOf('x'.repeat(10_000))
    const upload = await repository.openUpload()
    const target = `PUT ${upload.location}?digest=${blob.digest}`
    const response = await trickle(`${target} HTTP/1.1\r\n${host()}Content-Length: 10000\r\n\r\n`)
    expect(response?.status).toBe(408)
    expect((await repository.get(`blobs/${blob.digest}`)).status).toBe(404)
    while ((await upload.status()).header('range') === '0-0') await delay(5)
    const kept = Number((await upload.status()).header('range')?.slice(2)) + 1
    expect((await upload.finish(blob.digest, { body: blob.bytes.subarray(kept), start: kept })).status).toBe(
      201,
    )
  })

  test('sends a manifest a byte at a time: 408', async () => {
    const repository = registry.repository()
    const type = `Content-Type: ${mediaTypes.ociIndex}\r\n`
    const response = await trickle(
      `PUT ${repository.path('manifests/v1')} HTTP/1.1\r\n${host()}${type}Content-Length: 10000\r\n\r\n`,
    )
    expect(response?.status).toBe(408)
    if (response !== null) expectRefusal(response, 408)
    expect((await repository.pullManifest('v1')).status).toBe(404)
  })

  test('sends to the management API a byte at a time: 408', async () => {
    const response = await trickle(
      `PATCH /api/v1/repositories/a HTTP/1.1\r\n${host()}Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n`,
    )
    expect(response?.status).toBe(408)
    expect(response?.header('content-type')).toBe('application/problem+json')
  })

  test('sends a body that nobody wants a byte at a time: answered at once, ended later', async () => {
    const requests = ['GET /healthz', 'POST /', 'GET /v2/', 'PUT /v2/x', 'GET /x']
    const heads = requests.map((request) => `${request} HTTP/1.1\r\n${host()}Content-Length: 10000\r\n\r\n`)
    const responses = await Promise.all(heads.map((head) => trickle(head)))
    expect(responses.map((response) => response?.status)).toEqual([200, 405, 200, 404, 404])
  })
})

async function silence(): Promise<HttpResponse | null> {
  using connection = await RawConnection.open(registry.origin)
  return await connection.response()
}

describe('A client that is slow but makes progress', () => {
  // Long enough for a machine that has other things to do.
  const patient = useRegistry({ settings: { ...impatient, OPEN_REGISTRY_LIMITS_IDLE_TIMEOUT: '2s' } })

  test('is not cut, however long it takes', async () => {
    const repository = patient.repository()
    const blob = contentOf(patient.random.bytes(50_000))
    const upload = await repository.openUpload()
    using connection = await RawConnection.open(patient.origin)
    const target = `PUT ${upload.location}?digest=${blob.digest}`
    connection.write(`${target} HTTP/1.1\r\nHost: ${patient.origin.host}\r\nContent-Length: 50000\r\n\r\n`)
    // Longer than the limit in all.
    await connection.trickle(blob.bytes, { size: 1000, interval: 50 })
    expect((await connection.response())?.status).toBe(201)
    await expectBlob(repository, blob)
  })
})

describe('A client that does not read what it asked for', () => {
  const child = useChildRegistry(impatient)

  /** A connection whose bytes nobody reads. */
  async function deaf(request: string): Promise<Socket> {
    const socket = connect({ host: child.origin.hostname, port: Number(child.origin.port) })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(request)
    return socket
  }

  test('a large blob: its file is closed, and its connection', async (context) => {
    requireProc(context)
    const repository = child.repository()
    const blob = contentOf(child.random.bytes(24 * 1024 * 1024))
    await repository.pushBlob(blob)
    const files = child.openFiles()
    const get = `GET ${repository.path(`blobs/${blob.digest}`)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
    const sockets = await Promise.all(Array.from({ length: 20 }, () => deaf(get)))
    while (child.openFiles() < files + 10) await delay(5)
    await child.untilOpenFiles(files + 2)
    for (const socket of sockets) socket.destroy()
  })

  test('answers that are sent whole: they do not wait in memory for ever', async (context) => {
    requireProc(context)
    const repository = child.repository()
    const text = `{"schemaVersion":2,"manifests":[],"x":"${'x'.repeat(4_000_000)}"}`
    await repository.pushManifest({ ...contentOf(text), mediaType: mediaTypes.ociIndex }, 'v1')
    const files = child.openFiles()
    // More than the system keeps for a client.
    const get = `GET ${repository.path('manifests/v1')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(10)
    const sockets = await Promise.all(Array.from({ length: 20 }, () => deaf(get)))
    while (child.openFiles() < files + 10) await delay(5)
    await child.untilOpenFiles(files + 2)
    for (const socket of sockets) socket.destroy()
  })
})
