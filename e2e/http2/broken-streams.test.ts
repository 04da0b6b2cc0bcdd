import { constants, type ClientHttp2Stream } from 'node:http2'
import { contentOf, Http2Client, randomFrom } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob } from '../conformance/expectations.ts'
import { shared } from '../support/client-test.ts'
import { requirePeers } from '../support/peers.ts'
import { SecureRegistry } from './secure-registry.ts'

const needs = ['openssl'] as const
const settings = { OPEN_REGISTRY_LIMITS_IDLE_TIMEOUT: '1s' }
const registry = shared(() => SecureRegistry.start(settings), needs)
const random = randomFrom('http2 broken streams')
const octets = { 'content-type': 'application/octet-stream' }

/** A test with a client of its own. @param faults events that the registry may log as its own faults */
function http2Test(what: string, body: (client: Http2Client) => Promise<void>, faults: string[] = []): void {
  test(`HTTP/2: ${what}`, async (context) => {
    requirePeers(context, needs)
    using client = registry().client()
    await body(client)
    expect(
      registry()
        .log.takeFaults()
        .map(({ event }) => event),
    ).toEqual(faults)
  })
}

/** Resolves when a stream is gone, for whatever reason. */
function closed(stream: ClientHttp2Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.on('error', () => undefined).once('close', resolve)
  return promise
}

describe('an upload that is reset in the middle', () => {
  http2Test('is never taken for a whole one', async (client) => {
    const repository = registry().repository(client)
    const blob = contentOf(random.bytes(200_000))
    const whole = contentOf(random.bytes(100_000))
    for (const content of [blob, whole]) {
      const path = repository.path(`blobs/uploads/?digest=${content.digest}`)
      const request = client.begin({ method: 'POST', path, headers: octets })
      await request.write(content.bytes.subarray(0, 100_000))
      request.abort()
      await expect(request.response).rejects.toThrow()
      // Of the second one all bytes have come, and still nobody said that this was the end.
      await expectNoBlob(repository, content.digest)
    }
  })

  http2Test('leaves the session as it was or further, and can be resumed', async (client) => {
    const repository = registry().repository(client)
    const blob = contentOf(random.bytes(1_500_000))
    const upload = await repository.openUpload()
    const request = upload.begin('PATCH', octets)
    await request.write(blob.bytes.subarray(0, 700_000))
    request.abort()
    await expect(request.response).rejects.toThrow()
    let sent = 0
    await expect
      .poll(async () => {
        const last = Number((await upload.status()).header('range')?.slice(2))
        sent = last === 0 ? 0 : last + 1
        return (await upload.chunk(blob.bytes.subarray(sent), sent)).status
      })
      .toBe(202)
    expect(sent).toBeLessThanOrEqual(700_000)
    expect((await upload.finish(blob.digest)).status).toBe(201)
    await expectBlob(repository, blob)
  })
})

describe('a body that nobody wants', () => {
  http2Test('is answered at once, and costs its stream, not the connection', async (client) => {
    const path = `/v2/absent/manifests/x/y`
    const request = client.begin({ method: 'PUT', path, headers: octets })
    const megabyte = Buffer.alloc(1_000_000)
    const writing = (async () => {
      for (let i = 0; i < 50; i++) await request.write(megabyte)
    })().catch(() => undefined)
    expect((await request.response).status).toBe(404)
    await writing
    expect((await client.send({ path: '/v2/' })).status).toBe(200)
  })

  http2Test('that comes too slowly is answered with 408', async (client) => {
    const upload = await registry().repository(client).openUpload()
    const request = upload.begin('PATCH', octets)
    await request.write(Buffer.from('a little'))
    expect((await request.response).status).toBe(408)
    expect((await client.send({ path: '/v2/' })).status).toBe(200)
  })
})

describe('a client that takes nothing', () => {
  http2Test('is cut off, and others on its connection are served', async (client) => {
    const repository = registry().repository(client)
    const blob = contentOf(random.bytes(40_000_000))
    await repository.pushBlob(blob)
    const stuck = client.session.request({ ':path': repository.path(`blobs/${blob.digest}`) })
    stuck.once('response', () => stuck.pause())
    expect((await client.send({ path: '/v2/' })).status).toBe(200)
    await closed(stuck)
    expect(stuck.rstCode).toBe(2)
    expect((await client.send({ path: '/v2/' })).status).toBe(200)
  })

  http2Test('is cut off from small answers too', async () => {
    using narrow = new Http2Client(registry().origin, {
      ca: registry().ca,
      settings: { initialWindowSize: 100 },
    })
    const stuck = narrow.session.request({ ':path': '/metrics' })
    stuck.once('response', () => stuck.pause())
    await closed(stuck)
    expect(stuck.rstCode).toBe(2)
  })
})

describe('an answer that cannot be finished', () => {
  http2Test(
    'never looks like a whole one',
    async (client) => {
      const repository = registry().repository(client)
      const blob = contentOf(random.bytes(5_000_000))
      await repository.pushBlob(blob)
      const cid = (await repository.head(`blobs/${blob.digest}`)).header('openregistry-cid')
      registry().faults.failReadAt = 3_000_000
      const targets = [repository.path(`blobs/${blob.digest}`), `/ipfs/${cid}?format=car`]
      for (const path of targets) {
        await expect(client.send({ path })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
        expect((await client.send({ path: '/v2/' })).status).toBe(200)
      }
      registry().faults.failReadAt = null
      expect((await repository.get(`blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
    },
    ['request_failed', 'request_failed'],
  )
})

describe('a client that gives up answers in the middle, again and again', () => {
  http2Test('is asked for a new connection before this one has no memory left', async (client) => {
    const repository = registry().repository(client)
    const blob = contentOf(random.bytes(1_000_000))
    await repository.pushBlob(blob)
    // Node itself refuses whatever follows the eightieth, and says nothing before.
    for (let given = 0; given < 60 && !client.session.closed; given++) {
      const stream = client.session.request({ ':path': repository.path(`blobs/${blob.digest}`) })
      stream.once('data', () => stream.close(constants.NGHTTP2_CANCEL))
      await closed(stream)
    }
    expect(client.session.closed).toBe(true)
    using another = registry().client()
    expect((await another.send({ path: '/v2/' })).status).toBe(200)
  })
})
