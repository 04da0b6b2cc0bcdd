import { mediaTypes } from '@openregistry/oci'
import {
  contentOf,
  descriptorOf,
  digestOf,
  imageIndex,
  randomArtifact,
  randomImage,
  type Content,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { readIndex } from './referrers.ts'
import { useTarget } from './target.ts'

const target = useTarget()
const artifactType = 'application/vnd.example.sbom'

describe('Pushing Manifests with Subject', () => {
  test('an image with a subject is answered with OCI-Subject', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image)
    const subject = descriptorOf(image.manifest)
    const artifact = randomArtifact(target.random, { artifactType, subject })
    for (const reference of [artifact.manifest.digest, 'tagged']) {
      const response = await repository.pushImage(artifact, reference)
      expect(response.header('oci-subject')).toBe(subject.digest)
    }
  })

  test('an index with a subject is answered with OCI-Subject', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image)
    const index = imageIndex({ manifests: [], subject: descriptorOf(image.manifest), artifactType })
    const response = await repository.pushManifest(index)
    expect(response.header('oci-subject')).toBe(image.manifest.digest)
  })

  test('Push: a subject that does not exist is taken, and answered with OCI-Subject', async () => {
    const repository = target.repository()
    const later = randomImage(target.random)
    const subject = descriptorOf(later.manifest)
    const artifact = randomArtifact(target.random, { artifactType, subject })
    const response = await repository.pushImage(artifact)
    expect(response.header('oci-subject')).toBe(subject.digest)
    await repository.pushImage(later)
    const { manifests } = readIndex(await repository.get(`referrers/${subject.digest}`))
    expect(manifests.map((one) => one.digest)).toEqual([artifact.manifest.digest])
  })

  test('a sha512 subject is answered as it was written', async () => {
    const repository = target.repository()
    const image = randomImage(target.random, { algorithm: 'sha512' })
    await repository.pushImage(image)
    const subject = descriptorOf(image.manifest)
    const response = await repository.pushImage(randomArtifact(target.random, { artifactType, subject }))
    expect(response.header('oci-subject')).toBe(subject.digest)
    const { manifests } = readIndex(await repository.get(`referrers/${subject.digest}`))
    expect(manifests).toHaveLength(1)
  })

  test('a manifest without a subject is answered without OCI-Subject', async () => {
    const repository = target.repository()
    const response = await repository.pushImage(randomImage(target.random))
    expect(response.header('oci-subject')).toBeNull()
  })
})

describe('Pushing Manifests with tag parameters [main] (end-7b)', () => {
  /** Pushes a manifest by digest with tags, its blobs before it. */
  async function pushTagged(tags: readonly string[], algorithm: 'sha256' | 'sha512' = 'sha256') {
    const repository = target.repository()
    const image = randomImage(target.random, { algorithm })
    for (const blob of image.blobs) await repository.pushBlob(blob)
    const query = tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')
    const response = await repository.sendManifest(image.manifest, `${image.manifest.digest}?${query}`)
    return { repository, manifest: image.manifest, response }
  }

  const tagsOf = (response: { headers: ReadonlyMap<string, readonly string[]> }): string[] =>
    (response.headers.get('oci-tag') ?? []).flatMap((value) => value.split(',').map((tag) => tag.trim()))

  test.each(['sha256', 'sha512'] as const)(
    'ten tags of a %s digest are set at once, each named by OCI-Tag',
    async (algorithm) => {
      const tags = Array.from({ length: 10 }, (_, index) => `v1.${index}`)
      const { repository, manifest, response } = await pushTagged(tags, algorithm)
      expect(response.status, response.text()).toBe(201)
      expect(response.header('docker-content-digest')).toBe(manifest.digest)
      expect(tagsOf(response).toSorted()).toEqual(tags)
      for (const tag of tags) {
        const pulled = await repository.pullManifest(tag)
        expect(pulled.header('docker-content-digest')).toBe(manifest.digest)
        expect(pulled.body.equals(manifest.bytes)).toBe(true)
      }
      const list = (await repository.get('tags/list')).json()
      expect(list).toEqual({ name: repository.name, tags })
    },
  )

  test('a tag twice is a tag once', async () => {
    const { repository, response } = await pushTagged(['a', 'a', 'b'])
    expect(response.status).toBe(201)
    expect([...new Set(tagsOf(response))].toSorted()).toEqual(['a', 'b'])
    expect((await repository.get('tags/list')).json()).toMatchObject({ tags: ['a', 'b'] })
  })

  test('too many tags are 414, or all are taken', async () => {
    const { response } = await pushTagged(Array.from({ length: 300 }, (_, index) => `tag-${index}`))
    expect([201, 414]).toContain(response.status)
  })

  test('no tag is set when one is malformed, or the digest is wrong', async (context) => {
    target.oursAlone(context)
    const { repository, response } = await pushTagged(['good', '.bad'])
    expectRefusal(response, 400)
    expect((await repository.pullManifest('good')).status).toBe(404)
    const { bytes } = contentOf('{}')
    const wrong: Content = { bytes, mediaType: mediaTypes.ociManifest, digest: digestOf(Buffer.from('x')) }
    expectRefusal(await repository.sendManifest(wrong, `${wrong.digest}?tag=good`), 400)
    expect((await repository.pullManifest('good')).status).toBe(404)
  })

  test('without tag parameters there is no OCI-Tag', async () => {
    const response = await target.repository().pushImage(randomImage(target.random))
    expect(response.header('oci-tag')).toBeNull()
  })
})
