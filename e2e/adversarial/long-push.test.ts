import { setTimeout as delay } from 'node:timers/promises'
import { contentOf } from '@openregistry/testkit'
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
