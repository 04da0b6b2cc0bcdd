import { contentOf, type Content, type HttpResponse } from '@openregistry/testkit'
import { describe, expect, test, type TestContext } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from './expectations.ts'
import { expectPushed } from './push-ways.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'
import { UploadSession } from './upload-session.ts'

const target = useTarget()

async function pushed(
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<{ source: Repository; blob: Content }> {
  const source = target.repository()
  const blob = contentOf(target.random.bytes(50_000), { algorithm })
  await source.pushBlob(blob)
  return { source, blob }
}

function mount(repository: Repository, digest: string, from?: string): Promise<HttpResponse> {
  const source = from === undefined ? '' : `&from=${encodeURIComponent(from)}`
  return repository.send(`blobs/uploads/?mount=${encodeURIComponent(digest)}${source}`, {
    method: 'POST',
    headers: { 'content-length': '0' },
  })
}

/** A registry may refuse to mount, with the session of an ordinary upload. */
function skipUnlessMounted(context: TestContext, response: HttpResponse): void {
  if (response.status === 202)
    context.skip('the registry under test answers this mount with an upload session')
}

describe('Mounting a blob from another repository (end-11)', () => {
  test.each(['sha256', 'sha512'] as const)(
    'a %s blob with "from" is 201 with a pullable Location',
    async (algorithm) => {
      const { source, blob } = await pushed(algorithm)
      const repository = target.repository()
      const response = await mount(repository, blob.digest, source.name)
      await expectPushed(repository, response, blob)
      await expectBlob(repository, blob)
    },
  )

  test('the Location is the URL of the blob in this repository', async (context) => {
    const { source, blob } = await pushed()
    const repository = target.repository()
    const response = await mount(repository, blob.digest, source.name)
    skipUnlessMounted(context, response)
    const location = new URL(response.header('location') ?? '', target.http.origin)
    expect(location.pathname).toBe(repository.path(`blobs/${blob.digest}`))
  })

  test.each(['sha256', 'sha512'] as const)(
    'a %s blob without "from" is found where it is, or 202',
    async (algorithm) => {
      const { blob } = await pushed(algorithm)
      const repository = target.repository()
      const response = await mount(repository, blob.digest)
      expect([201, 202]).toContain(response.status)
      if (response.status === 201) await expectPushed(repository, response, blob)
    },
  )

  test('a blob without "from" is mounted from a public repository', async (context) => {
    target.oursAlone(context)
    const { blob } = await pushed()
    const repository = target.repository()
    await expectPushed(repository, await mount(repository, blob.digest), blob)
  })

  test('what cannot be mounted is 202: a session that goes on', async () => {
    const { source } = await pushed()
    const repository = target.repository()
    const absent = contentOf(target.random.bytes(100))
    for (const from of [source.name, 'conformance/nowhere', 'Not A Name', '', undefined]) {
      const response = await mount(repository, absent.digest, from)
      expect(response.status, from).toBe(202)
      const upload = new UploadSession(target.http, response)
      expect((await upload.status()).status).toBe(204)
      await upload.cancel()
    }
    const response = await mount(repository, absent.digest, source.name)
    const upload = new UploadSession(target.http, response)
    await expectPushed(repository, await upload.finish(absent.digest, { body: absent.bytes }), absent)
  })

  test('a wrong digest after a refused mount is 400 and stores nothing', async () => {
    const repository = target.repository()
    const absent = contentOf(target.random.bytes(100))
    const upload = new UploadSession(
      target.http,
      await mount(repository, absent.digest, 'conformance/nowhere'),
    )
    expectRefusal(await upload.finish(absent.digest, { body: Buffer.from('other') }), 400, 'DIGEST_INVALID')
    await expectNoBlob(repository, absent.digest)
  })

  test('a blob that was there once and was deleted is not mounted', async () => {
    const { source, blob } = await pushed()
    expect((await source.delete(`blobs/${blob.digest}`)).status).toBe(202)
    const repository = target.repository()
    expect((await mount(repository, blob.digest, source.name)).status).toBe(202)
    expect((await mount(repository, blob.digest)).status).toBe(202)
    await expectNoBlob(repository, blob.digest)
  })

  test('a mounted blob outlives the one it came from', async (context) => {
    const { source, blob } = await pushed()
    const repository = target.repository()
    skipUnlessMounted(context, await mount(repository, blob.digest, source.name))
    expect((await source.delete(`blobs/${blob.digest}`)).status).toBe(202)
    await expectNoBlob(source, blob.digest)
    await expectBlob(repository, blob)
  })

  test('a mount into the repository that has the blob is fine', async () => {
    const { source, blob } = await pushed()
    const response = await mount(source, blob.digest, source.name)
    expect([201, 202]).toContain(response.status)
    await expectBlob(source, blob)
  })

  test.each(['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'x'])(
    'the invalid digest %s is 400, or 202',
    async (digest) => {
      const response = await mount(target.repository(), digest, 'conformance/nowhere')
      expect([400, 202]).toContain(response.status)
      if (response.status === 400) expectRefusal(response, 400, 'DIGEST_INVALID')
    },
  )
})
