import { contentOf, digestOf } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from './expectations.ts'
import { expectPushed, postBlob, pushWays } from './push-ways.ts'
import { useTarget } from './target.ts'

const target = useTarget()

describe.each(pushWays)('Pushing blobs: $name (end-4, end-5, end-6)', ({ push }) => {
  test.each([
    ['sha256', ''],
    ['sha256', 'digest-algorithm=sha256'],
    ['sha512', ''],
    ['sha512', 'digest-algorithm=sha512'],
  ] as const)('%s is 201 with a pullable Location, hint: "%s"', async (algorithm, hint) => {
    const repository = target.repository()
    for (const size of [3, 20_000, 1_100_000]) {
      const blob = contentOf(target.random.bytes(size), { algorithm })
      await expectPushed(repository, await push(repository, blob.bytes, blob.digest, hint), blob)
      const head = await repository.head(`blobs/${blob.digest}`)
      expect(head.status).toBe(200)
      expect(head.header('docker-content-digest')).toBe(blob.digest)
    }
  })

  test.each(['sha256', 'sha512'] as const)(
    'nothing is a blob: its %s digest is pushed',
    async (algorithm) => {
      const repository = target.repository()
      const blob = contentOf('', { algorithm })
      await expectPushed(repository, await push(repository, blob.bytes, blob.digest, ''), blob)
    },
  )

  test.each(['sha256', 'sha512'] as const)(
    'a wrong %s digest is 400 DIGEST_INVALID and stores nothing',
    async (algorithm) => {
      for (const size of [100, 100_000]) {
        const repository = target.repository()
        const bytes = target.random.bytes(size)
        const claimed = digestOf(target.random.bytes(10), algorithm)
        expectRefusal(await push(repository, bytes, claimed, ''), 400, 'DIGEST_INVALID')
        await expectNoBlob(repository, claimed)
        await expectNoBlob(repository, digestOf(bytes))
        await expectNoBlob(repository, digestOf(bytes, 'sha512'))
      }
    },
  )

  test.each([
    'sha256:abc',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'0'.repeat(128)}`,
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    'sha256',
    ':',
    '../../etc/passwd',
    `sha256:${'0'.repeat(64)}\0`,
  ])('[main] the invalid or unsupported digest %j is 400', async (digest) => {
    const repository = target.repository()
    expectRefusal(await push(repository, Buffer.from('abcdef'), digest, ''), 400, 'DIGEST_INVALID')
    await expectNoBlob(repository, digestOf(Buffer.from('abcdef')))
  })

  test('the same blob again is 201 again', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(50_000))
    for (let time = 0; time < 2; time++) {
      await expectPushed(repository, await push(repository, blob.bytes, blob.digest, ''), blob)
    }
  })

  test('a blob of this digest is not visible in another repository that gets other bytes', async () => {
    const [here, elsewhere] = [target.repository(), target.repository()]
    const blob = contentOf(target.random.bytes(1000))
    const other = contentOf(target.random.bytes(1000))
    await expectPushed(here, await push(here, blob.bytes, blob.digest, ''), blob)
    await expectPushed(elsewhere, await push(elsewhere, other.bytes, other.digest, ''), other)
    await expectNoBlob(elsewhere, blob.digest)
    await expectBlob(here, blob)
  })

  test('Use Cases, Layer Upload De-duplication: equal blobs pushed at once all succeed', async () => {
    const repositories = Array.from({ length: 4 }, () => target.repository())
    const blob = contentOf(target.random.bytes(200_000))
    const all = [...repositories, ...repositories]
    const pushes = await Promise.all(all.map((one) => push(one, blob.bytes, blob.digest, '')))
    for (const [index, response] of pushes.entries()) {
      const repository = all[index]
      if (repository !== undefined) await expectPushed(repository, response, blob)
    }
  })
})

describe('POST then PUT (end-4a)', () => {
  test('POST is 202 with the location of a new session each time', async () => {
    const repository = target.repository()
    const locations = new Set<string>()
    for (let time = 0; time < 5; time++) locations.add((await repository.openUpload()).location)
    expect(locations.size).toBe(5)
  })

  test('the session id is 128 random bits at least', async (context) => {
    target.oursAlone(context)
    const { location } = await target.repository().openUpload()
    expect(location).toMatch(/\/blobs\/uploads\/[0-9a-f]{32}$/)
  })

  test('POST may say a content type, or have no Content-Length', async () => {
    const repository = target.repository()
    const typed = await repository.send('blobs/uploads/', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '0' },
    })
    expect(typed.status).toBe(202)
    expect((await repository.send('blobs/uploads/', { method: 'POST' })).status).toBe(202)
  })

  test('PUT without a digest is 400 DIGEST_INVALID', async () => {
    const upload = await target.repository().openUpload()
    expectRefusal(await upload.send({ method: 'PUT', body: 'abc' }), 400, 'DIGEST_INVALID')
  })

  test('[main] an unsupported digest-algorithm is 400', async () => {
    const response = await target.repository().send('blobs/uploads/?digest-algorithm=md5', {
      method: 'POST',
      headers: { 'content-length': '0' },
    })
    expectRefusal(response, 400)
  })

  test('[main] a hint that the digest does not keep to is no reason to store something wrong', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(100))
    const upload = await repository.openUpload('?digest-algorithm=sha512')
    const response = await upload.finish(blob.digest, { body: blob.bytes })
    expect([201, 400]).toContain(response.status)
    if (response.status === 201) await expectBlob(repository, blob)
  })
})

describe('Single POST (end-4b)', () => {
  test.for([
    ['sha256', 0],
    ['sha256', 1000],
    ['sha512', 0],
    ['sha512', 1000],
  ] as const)('%s, %i bytes: no second request is needed', async ([algorithm, size], context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(size), { algorithm })
    await expectPushed(repository, await postBlob(repository, blob.bytes, blob.digest), blob)
  })
})

describe('Location (API, RFC 9110, 10.2.2)', () => {
  test('every Location is relative, so that no proxy can spoil it', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(100))
    const upload = await repository.openUpload()
    const locations = [upload.opened, await upload.chunk(blob.bytes, 0), await upload.status()]
    locations.push(await upload.finish(blob.digest))
    for (const response of locations) {
      expect(response.header('location')).toMatch(new RegExp(`^/v2/${repository.name}/blobs/`))
    }
  })
})
