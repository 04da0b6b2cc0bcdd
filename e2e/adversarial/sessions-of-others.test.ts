import { setTimeout as delay } from 'node:timers/promises'
import { contentOf, digestOf, type HttpClient, type HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectBlob, expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { passwords, usersFile } from './users.ts'

const registry = useRegistry({ users: usersFile })
let alice: HttpClient
let bob: HttpClient

beforeAll(() => {
  alice = registry.clientOf('alice', passwords.alice)
  bob = registry.clientOf('bob', passwords.bob)
})

/** Every request to a session, by somebody. */
async function askAll(http: HttpClient, path: string): Promise<HttpResponse[]> {
  const body = Buffer.from('bytes')
  const put = `${path}?digest=${digestOf(body)}`
  return [
    await http.send({ path }),
    await http.send({ method: 'HEAD', path }),
    await http.send({ method: 'PATCH', path, body }),
    await http.send({ method: 'PATCH', path, body, headers: { 'content-range': '0-4' } }),
    await http.send({ method: 'PUT', path: put, body }),
    await http.send({ method: 'PUT', path: put }),
    await http.send({ method: 'DELETE', path }),
  ]
}

/** What a client can tell two answers apart by. */
const visible = ({ status, headers, body }: HttpResponse) => ({
  status,
  headers: [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
  body: body.toString(),
})

describe('The session of somebody else', () => {
  test('is answered like one that never was, and goes on for whom it belongs to', async () => {
    const repository = registry.repository(undefined, alice)
    const upload = await repository.openUpload()
    const made = repository.path(`blobs/uploads/${'0'.repeat(32)}`)
    const before = registry.stored.content()
    const [theirs, nobodys] = [await askAll(bob, upload.location), await askAll(bob, made)]
    expect(theirs.map(visible)).toEqual(nobodys.map(visible))
    for (const { status } of theirs) expect(status).toBe(404)
    expect(registry.stored.content()).toEqual(before)
    const blob = contentOf('bytes')
    expect((await upload.finish(blob.digest, { body: blob.bytes })).status).toBe(201)
    await expectBlob(repository, blob)
  })

  test('asks for credentials where there are none, whether it is there or not', async () => {
    const repository = registry.repository(undefined, alice)
    const upload = await repository.openUpload()
    const made = `/v2/never/was/blobs/uploads/${'0'.repeat(32)}`
    const [theirs, nobodys] = [
      await askAll(registry.http, upload.location),
      await askAll(registry.http, made),
    ]
    expect(theirs.map(visible)).toEqual(nobodys.map(visible))
    for (const { status } of theirs) expect(status).toBe(401)
    expect((await upload.status()).status).toBe(204)
  })
})

describe('A session whose time is over', () => {
  const shortLived = useRegistry({ settings: { OPEN_REGISTRY_LIMITS_UPLOAD_LIFETIME: '1s' } })

  test('is unknown; every chunk gives it more', async () => {
    const repository = shortLived.repository()
    const upload = await repository.openUpload()
    const [opened] = shortLived.stored.uploadExpiries()
    await delay(5)
    expect((await upload.chunk(Buffer.from('x'), 0)).status).toBe(202)
    const [continued] = shortLived.stored.uploadExpiries()
    expect(continued).toBeGreaterThan(opened ?? Infinity)
    while ((await upload.status()).status === 204) await delay(100)
    expectRefusal(await upload.status(), 404, 'BLOB_UPLOAD_UNKNOWN')
    expectRefusal(await upload.chunk(Buffer.from('x'), 1), 404, 'BLOB_UPLOAD_UNKNOWN')
    const digest = digestOf(Buffer.from('x'))
    expectRefusal(await upload.finish(digest), 404, 'BLOB_UPLOAD_UNKNOWN')
    expect((await repository.get(`blobs/${digest}`)).status).toBe(404)
  })
})
