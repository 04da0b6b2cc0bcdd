import { randomArtifact, randomImage, randomMultiPlatformImage, contentOf } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectDigestHeader, expectRefusal } from './expectations.ts'
import { useTarget } from './target.ts'

const target = useTarget()

describe('Pulling manifests (end-3)', () => {
  test.each(['GET', 'HEAD'] as const)(
    '%s by tag and by digest is 200 and gives the manifest',
    async (method) => {
      const repository = target.repository()
      const { manifest, blobs } = randomImage(target.random)
      await repository.pushImage({ manifest, blobs }, 'v1')
      for (const reference of ['v1', manifest.digest]) {
        const response = await repository.pullManifest(reference, method)
        expect(response.status).toBe(200)
        expect(response.body.equals(method === 'GET' ? manifest.bytes : Buffer.alloc(0))).toBe(true)
        expect(response.header('content-length')).toBe(String(manifest.bytes.length))
      }
    },
  )

  test('Content-Type is the media type that was pushed, without parameters', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    const { index, images } = randomMultiPlatformImage(target.random, { family: 'docker' })
    const artifact = randomArtifact(target.random, { artifactType: 'application/x.test' })
    for (const one of [image, ...images, artifact]) await repository.pushImage(one)
    await repository.pushManifest(index)
    for (const manifest of [image.manifest, images[0]?.manifest, index, artifact.manifest]) {
      if (manifest === undefined) throw new Error('an index without images')
      const response = await repository.pullManifest(manifest.digest)
      expect(response.header('content-type')).toBe(manifest.mediaType)
    }
  })

  test('[main] Docker-Content-Digest is the digest of the manifest', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    expectDigestHeader(await repository.pullManifest('v1'), image.manifest)
    expectDigestHeader(await repository.pullManifest(image.manifest.digest), image.manifest)
  })

  test('what Accept says changes neither the document nor its digest', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    for (const accept of [image.manifest.mediaType, '*/*', 'application/json']) {
      const response = await repository.get('manifests/v1', { accept })
      expect(response.status).toBe(200)
      expectDigestHeader(response, image.manifest)
    }
  })

  test('a manifest that is not there is 404 MANIFEST_UNKNOWN', async () => {
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random), 'v1')
    const absent = contentOf(target.random.bytes(10)).digest
    for (const reference of ['v2', absent]) {
      expectRefusal(await repository.get(`manifests/${reference}`), 404, 'MANIFEST_UNKNOWN')
      expect((await repository.head(`manifests/${reference}`)).status).toBe(404)
    }
  })

  test('a manifest of another repository is 404', async () => {
    const [here, elsewhere] = [target.repository(), target.repository()]
    const image = randomImage(target.random)
    await elsewhere.pushImage(image, 'v1')
    await here.pushImage(randomImage(target.random), 'other')
    expectRefusal(await here.get(`manifests/${image.manifest.digest}`), 404)
    expectRefusal(await here.get('manifests/v1'), 404)
  })

  test('a blob is no manifest', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image)
    for (const blob of image.blobs) expectRefusal(await repository.get(`manifests/${blob.digest}`), 404)
  })

  test('Pushing Manifests: a repository that does not exist is 404 on pull', async () => {
    expectRefusal(await target.repository().get('manifests/latest'), 404)
    expectRefusal(await target.repository().get(`manifests/${contentOf('x').digest}`), 404)
  })

  test('a reference that is neither digest nor tag is refused', async () => {
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random), 'v1')
    for (const reference of ['.v1', '-v1', 'v1%20x', 'a'.repeat(129), 'sha256:short', 'sha256:%00', 'v1@x']) {
      const response = await repository.get(`manifests/${reference}`)
      expect([400, 404], reference).toContain(response.status)
    }
  })
})

describe('Pulling manifests: conditional requests (RFC 9110, 13)', () => {
  test('If-None-Match with the entity tag is 304 without a body', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    for (const reference of ['v1', image.manifest.digest]) {
      const etag = (await repository.pullManifest(reference)).header('etag')
      expect(etag).toMatch(/^"[^"]+"$/)
      for (const given of [etag ?? '', `"other", ${etag}`]) {
        const response = await repository.pullManifest(reference, 'GET', { 'if-none-match': given })
        expect(response.status).toBe(304)
        expect(response.body).toHaveLength(0)
      }
      expect((await repository.get(`manifests/${reference}`, { 'if-none-match': '"other"' })).status).toBe(
        200,
      )
    }
  })

  test('a tag that moved is sent again', async () => {
    const repository = target.repository()
    const [first, second] = [randomImage(target.random), randomImage(target.random)]
    await repository.pushImage(first, 'v1')
    const etag = (await repository.pullManifest('v1')).header('etag') ?? ''
    await repository.pushImage(second, 'v1')
    const response = await repository.pullManifest('v1', 'GET', { 'if-none-match': etag })
    expect(response.status).toBe(200)
    expectDigestHeader(response, second.manifest)
  })
})
