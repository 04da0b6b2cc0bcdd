import { setTimeout as delay } from 'node:timers/promises'
import { mediaTypes } from '@openregistry/oci'
import { contentOf, type Content } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { expectBlob } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry({ settings: { OPEN_REGISTRY_LIMITS_UPLOAD_LIFETIME: '1s' } })

/** Sends a body that takes longer than a session waits for its next byte. */
async function* slowly(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = Math.ceil(bytes.length / 25)
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size)
    await delay(100)
  }
}

test.for(['POST', 'PATCH', 'PUT'] as const)(
  'a %s that takes longer than the session lives is not broken',
  async (way) => {
    const repository = registry.repository()
    const content = contentOf(Buffer.alloc(500_000, `slow ${way}`))
    const send = (method: string, path: string) =>
      registry.http.send({
        method,
        path,
        headers: { 'content-type': 'application/octet-stream' },
        body: slowly(content.bytes),
      })
    if (way === 'POST') {
      const posted = await send('POST', repository.path(`blobs/uploads/?digest=${content.digest}`))
      expect(posted.status).toBe(201)
    } else {
      const opened = await registry.http.send({ method: 'POST', path: repository.path('blobs/uploads/') })
      const location = opened.header('location') ?? ''
      const closing = `${location}?digest=${content.digest}`
      if (way === 'PATCH') expect((await send('PATCH', location)).status).toBe(202)
      const closed =
        way === 'PUT'
          ? await send('PUT', closing)
          : await registry.http.send({ method: 'PUT', path: closing })
      expect(closed.status).toBe(201)
    }
    await expectBlob(repository, content)
  },
)

const leased = useRegistry({ settings: { OPEN_REGISTRY_GC_LEASE: '1s' } })

/** Collects beside the registry. @returns how many blobs went. */
async function collect(): Promise<number> {
  const { blobs } = (await leased.command('gc')) as { blobs: number }
  return blobs
}

function descriptorOf({ mediaType, digest, bytes }: Content) {
  return { mediaType, digest, size: bytes.length }
}

test('a layer that takes longer than leases keeps what the same push brought before', async () => {
  const repository = leased.repository()
  const first = contentOf(Buffer.alloc(100_000, 'the first layer'))
  const config = contentOf('{}', { mediaType: mediaTypes.ociEmpty })
  await repository.pushBlob(first)
  await repository.pushBlob(config)
  const slow = contentOf(Buffer.alloc(500_000, 'the slow layer'))
  const opened = await leased.http.send({ method: 'POST', path: repository.path('blobs/uploads/') })
  const location = opened.header('location') ?? ''
  let sending = true
  const sent = leased.http
    .send({
      method: 'PATCH',
      path: location,
      headers: { 'content-type': 'application/octet-stream' },
      body: slowly(slow.bytes),
    })
    .finally(() => (sending = false))
  while (sending) expect(await collect()).toBe(0)
  expect((await sent).status).toBe(202)
  const closed = await leased.http.send({ method: 'PUT', path: `${location}?digest=${slow.digest}` })
  expect(closed.status).toBe(201)
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(config),
    layers: [first, slow].map(descriptorOf),
  }
  const image = contentOf(JSON.stringify(manifest), { mediaType: mediaTypes.ociManifest })
  expect((await repository.sendManifest(image, 'slow')).status).toBe(201)
  // The same blob without a push that goes on is collected.
  await leased.repository().pushBlob(contentOf(Buffer.alloc(100_000, 'nobody needs this')))
  await expect.poll(collect, { timeout: 20_000, interval: 200 }).toBe(1)
})
