import { contentOf, randomImage } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectDigestHeader } from './expectations.ts'
import { useTarget } from './target.ts'

const target = useTarget()

describe('Checking if content exists in the registry (end-2, end-3)', () => {
  test('HEAD of a blob is 200 with [main] its digest and size', async () => {
    const repository = target.repository()
    for (const size of [0, 10, 100_000]) {
      const blob = contentOf(target.random.bytes(size))
      await repository.pushBlob(blob)
      const response = await repository.head(`blobs/${blob.digest}`)
      expect(response.status).toBe(200)
      expect(response.header('content-length')).toBe(String(size))
      expect(response.body).toHaveLength(0)
      expectDigestHeader(response, blob)
    }
  })

  test('HEAD of a manifest, by tag and by digest, is 200 with [main] its digest and size', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    for (const reference of ['v1', image.manifest.digest]) {
      const response = await repository.pullManifest(reference, 'HEAD')
      expect(response.status).toBe(200)
      expect(response.header('content-length')).toBe(String(image.manifest.bytes.length))
      expect(response.header('content-type')).toBe(image.manifest.mediaType)
      expectDigestHeader(response, image.manifest)
    }
  })

  test('HEAD of what is not there is 404 without a body', async () => {
    const repository = target.repository()
    await repository.pushBlob(contentOf('something'))
    const absent = contentOf(target.random.bytes(10)).digest
    for (const path of [`blobs/${absent}`, `manifests/${absent}`, 'manifests/absent']) {
      const response = await repository.head(path)
      expect(response.status, path).toBe(404)
      expect(response.body).toHaveLength(0)
    }
  })

  test('HEAD answers with the headers of GET (RFC 9110, 9.3.2)', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    const [blob] = image.blobs
    const changing = new Set(['date', 'x-request-id', 'connection', 'keep-alive'])
    for (const path of ['manifests/v1', `manifests/${image.manifest.digest}`, `blobs/${blob?.digest}`]) {
      const accept = image.manifest.mediaType
      const [get, head] = [await repository.get(path, { accept }), await repository.head(path, { accept })]
      const entries = [...get.headers].filter(([name]) => !changing.has(name))
      expect(Object.fromEntries(head.headers)).toMatchObject(Object.fromEntries(entries))
    }
  })

  test('HEAD like GET wherever GET is', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    const upload = await repository.openUpload()
    const paths = ['/v2/', '/v2/_catalog', '/v2/_oci/ext/discover', upload.location]
    for (const rest of ['tags/list', `referrers/${image.manifest.digest}`]) paths.push(repository.path(rest))
    for (const path of paths) {
      const [get, head] = [await target.get(path), await target.http.send({ path, method: 'HEAD' })]
      expect(head.status, path).toBe(get.status)
      expect(head.header('content-type'), path).toBe(get.header('content-type'))
      expect(head.header('content-length'), path).toBe(get.header('content-length'))
      expect(head.body).toHaveLength(0)
    }
  })
})
