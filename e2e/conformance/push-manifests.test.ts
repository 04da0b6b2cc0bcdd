import { mediaTypes } from '@openregistry/oci'
import {
  contentOf,
  descriptorOf,
  digestOf,
  imageIndex,
  imageManifest,
  randomArtifact,
  randomImage,
  randomMultiPlatformImage,
  type Content,
  type Image,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()

/** Expects that a manifest is served as it was pushed, by each reference. */
async function expectServed(repository: Repository, manifest: Content, references: string[]): Promise<void> {
  for (const reference of references) {
    const response = await repository.pullManifest(reference)
    expect(response.status).toBe(200)
    expect(response.body.equals(manifest.bytes)).toBe(true)
    expect(response.header('content-type')).toBe(manifest.mediaType)
    expect(response.header('docker-content-digest')).toBe(manifest.digest)
  }
}

/** An image whose manifest is written by hand around one pushed blob. */
async function withManifest(
  repository: Repository,
  write: (config: string) => string,
  mediaType: string = mediaTypes.ociManifest,
): Promise<Content> {
  const config = contentOf('{}', { mediaType: mediaTypes.ociConfig })
  await repository.pushBlob(config)
  return contentOf(write(JSON.stringify(descriptorOf(config))), { mediaType })
}

describe('Pushing Manifests (end-7a)', () => {
  const kinds: { kind: string; make: () => { manifest: Content; needs: Image[] } }[] = [
    { kind: 'an OCI image', make: () => alone(randomImage(target.random)) },
    { kind: 'a Docker image', make: () => alone(randomImage(target.random, { family: 'docker' })) },
    { kind: 'an OCI index', make: () => multiPlatform('oci') },
    { kind: 'a Docker manifest list', make: () => multiPlatform('docker') },
    { kind: 'an artifact', make: () => alone(randomArtifact(target.random, { artifactType: 'a/b' })) },
    { kind: 'an image without layers', make: () => alone(randomImage(target.random, { layers: 0 })) },
    {
      kind: 'an image of many layers',
      make: () => alone(randomImage(target.random, { layers: 40, layerSize: 9 })),
    },
    { kind: 'an index of nothing', make: () => ({ manifest: imageIndex({ manifests: [] }), needs: [] }) },
  ]

  function alone(image: Image) {
    return { manifest: image.manifest, needs: [image] }
  }

  function multiPlatform(family: 'oci' | 'docker') {
    const { index, images } = randomMultiPlatformImage(target.random, { family })
    return { manifest: index, needs: [...images] }
  }

  test.each(kinds)('$kind by tag and by digest is 201 and comes back as it was', async ({ make }) => {
    const repository = target.repository()
    const { manifest, needs } = make()
    for (const image of needs) await repository.pushImage(image)
    for (const reference of ['v1.0', manifest.digest]) {
      const response = await repository.pushManifest(manifest, reference)
      expect(response.header('docker-content-digest')).toBe(manifest.digest)
      const location = new URL(response.header('location') ?? '', target.http.origin)
      const pulled = await target.get(location.pathname, { accept: manifest.mediaType })
      expect(pulled.status).toBe(200)
      expect(pulled.body.equals(manifest.bytes)).toBe(true)
    }
    await expectServed(repository, manifest, ['v1.0', manifest.digest])
  })

  test('an index of indexes is taken', async () => {
    const repository = target.repository()
    const inner = [0, 1].map(() => randomMultiPlatformImage(target.random))
    for (const { index, images } of inner) {
      for (const image of images) await repository.pushImage(image)
      await repository.pushManifest(index)
    }
    const outer = imageIndex({ manifests: inner.map(({ index }) => descriptorOf(index)) })
    await repository.pushManifest(outer, 'nested')
    await expectServed(repository, outer, ['nested', outer.digest])
  })

  test('all of an image by sha512 is taken', async () => {
    const repository = target.repository()
    const image = randomImage(target.random, { algorithm: 'sha512' })
    const response = await repository.pushImage(image)
    expect(response.header('docker-content-digest')).toBe(image.manifest.digest)
    await expectServed(repository, image.manifest, [image.manifest.digest])
  })

  test('every byte is kept: white space, unknown fields, order, escapes, numbers', async () => {
    const repository = target.repository()
    const manifest = await withManifest(
      repository,
      (config) =>
        `\t{ "z-unknown": [1.0, 1e2, -0, "\\u00e9\\/", {"":null}],\r\n  "layers": [ ],\n"schemaVersion":2 ,` +
        `"annotations": {"ü": "\\ud83d\\ude00 ✓"}, "config":${config}, "mediaType":"${mediaTypes.ociManifest}"}\n\n`,
    )
    await repository.pushManifest(manifest, 'odd')
    await expectServed(repository, manifest, ['odd', manifest.digest])
  })

  test('a manifest without the field mediaType is served under the Content-Type it was pushed with', async () => {
    const repository = target.repository()
    const manifest = await withManifest(
      repository,
      (config) => `{"schemaVersion":2,"config":${config},"layers":[]}`,
    )
    await repository.pushManifest(manifest, 'v1')
    await expectServed(repository, manifest, ['v1'])
  })

  test('parameters of Content-Type are ignored', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const response = await repository.send('manifests/v1', {
      method: 'PUT',
      headers: { 'content-type': `${image.manifest.mediaType}; charset=utf-8` },
      body: image.manifest.bytes,
    })
    expect(response.status).toBe(201)
    await expectServed(repository, image.manifest, ['v1'])
  })

  test('a manifest with chunked transfer encoding is taken', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const response = await repository.send('manifests/v1', {
      method: 'PUT',
      headers: { 'content-type': image.manifest.mediaType },
      body: image.manifest.bytes,
      framing: 'chunked',
    })
    expect(response.status).toBe(201)
    await expectServed(repository, image.manifest, ['v1'])
  })

  test('descriptors with data, urls and unknown fields are taken', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const [config, ...layers] = image.blobs.map((blob) => ({
      ...descriptorOf(blob, { data: blob.bytes.toString('base64'), urls: ['https://example.com/x'] }),
      unknown: { deep: [1] },
    }))
    if (config === undefined) throw new Error('an image without a config')
    const manifest = imageManifest({ config, layers, extra: { unknown: true } })
    await repository.pushManifest(manifest, 'v1')
    await expectServed(repository, manifest, ['v1', manifest.digest])
  })

  test('a tag moves, and the manifest it left stays under its digest', async () => {
    const repository = target.repository()
    const [first, second] = [randomImage(target.random), randomImage(target.random)]
    await repository.pushImage(first, 'latest')
    await repository.pushImage(second, 'latest')
    await expectServed(repository, second.manifest, ['latest', second.manifest.digest])
    await expectServed(repository, first.manifest, [first.manifest.digest])
  })

  test('tags differ by case', async () => {
    const repository = target.repository()
    const [first, second] = [randomImage(target.random), randomImage(target.random)]
    await repository.pushImage(first, 'Tag')
    await repository.pushImage(second, 'tag')
    await expectServed(repository, first.manifest, ['Tag'])
    await expectServed(repository, second.manifest, ['tag'])
  })

  test('a digest that is not that of the body is 400, and nothing is stored', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(randomImage(target.random))
    for (const blob of image.blobs) await repository.pushBlob(blob)
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const wrong = digestOf(Buffer.from('x'), algorithm)
      expectRefusal(await repository.sendManifest(image.manifest, wrong), 400, 'DIGEST_INVALID')
      expect((await repository.pullManifest(wrong)).status).toBe(404)
    }
    expect((await repository.pullManifest(image.manifest.digest)).status).toBe(404)
  })

  test('a manifest of almost 4 MB is taken by tag and by digest', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`large-${index}`, 'x'.repeat(10_000)]),
    )
    const [config, ...layers] = image.blobs.map((blob) => descriptorOf(blob))
    if (config === undefined) throw new Error('an image without a config')
    const manifest = imageManifest({ config, layers, annotations })
    for (const reference of ['large', manifest.digest]) await repository.pushManifest(manifest, reference)
    await expectServed(repository, manifest, ['large', manifest.digest])
  })

  test('a manifest over the limit is 413', async () => {
    const repository = target.repository()
    const large = contentOf(`{"schemaVersion":2,"x":"${'x'.repeat(9_000_000)}"}`, {
      mediaType: mediaTypes.ociManifest,
    })
    const response = await repository.sendManifest(large, 'large')
    expectRefusal(response, 413)
    expect((await repository.pullManifest('large')).status).toBe(404)
  })
})

describe('Push: what a manifest references', () => {
  test('blobs that are not there: refused with MANIFEST_BLOB_UNKNOWN, or taken', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    const [config] = image.blobs
    if (config !== undefined) await repository.pushBlob(config)
    const response = await repository.sendManifest(image.manifest, 'v1')
    if (response.status !== 201) {
      expect([400, 404]).toContain(response.status)
      expectRefusal(response, response.status, 'MANIFEST_BLOB_UNKNOWN')
      expect((await repository.pullManifest('v1')).status).toBe(404)
    }
  })

  test('blobs of another repository do not count', async (context) => {
    target.oursAlone(context)
    const [here, elsewhere] = [target.repository(), target.repository()]
    const image = randomImage(target.random)
    await elsewhere.pushImage(image)
    const response = await here.sendManifest(image.manifest, 'v1')
    expectRefusal(response, 400, 'MANIFEST_BLOB_UNKNOWN')
    const { errors } = response.json() as { errors: { detail?: unknown }[] }
    for (const blob of image.blobs) expect(JSON.stringify(errors)).toContain(blob.digest)
  })

  test('children of an index that are not there: taken with a Warning, or MANIFEST_BLOB_UNKNOWN', async () => {
    const repository = target.repository()
    const { index } = randomMultiPlatformImage(target.random)
    const response = await repository.sendManifest(index, 'sparse')
    if (response.status !== 201) return expectRefusal(response, response.status, 'MANIFEST_BLOB_UNKNOWN')
    await expectServed(repository, index, ['sparse'])
  })

  test('layers that may not be distributed need not be there', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const [config, ...layers] = image.blobs.map((blob) => descriptorOf(blob))
    if (config === undefined) throw new Error('an image without a config')
    const foreign = [mediaTypes.ociForeignLayer, mediaTypes.ociForeignLayerGzip].map((mediaType) =>
      descriptorOf(contentOf(target.random.bytes(99), { mediaType }), {
        urls: ['https://example.com/layer'],
      }),
    )
    const manifest = imageManifest({ config, layers: [...foreign, ...layers] })
    await repository.pushManifest(manifest, 'v1')
    await expectServed(repository, manifest, ['v1'])
  })

  test('a blob that was mounted, or pushed under the other algorithm, counts under its own digest', async () => {
    const repository = target.repository()
    const bytes = target.random.bytes(300)
    const [as256, as512] = [contentOf(bytes), contentOf(bytes, { algorithm: 'sha512' })]
    const config = contentOf('{}', { mediaType: mediaTypes.ociConfig })
    for (const blob of [as256, as512, config]) await repository.pushBlob(blob)
    const manifest = imageManifest({
      config: descriptorOf(config),
      layers: [as256, as512].map((blob) => ({ ...descriptorOf(blob), mediaType: mediaTypes.ociLayer })),
    })
    await repository.pushManifest(manifest, 'v1')
    await expectServed(repository, manifest, ['v1'])
  })
})
