import {
  contentOf,
  descriptorOf,
  randomArtifact,
  randomImage,
  randomMultiPlatformImage,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from './expectations.ts'
import { readIndex } from './referrers.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()

async function expectNoManifest(repository: Repository, references: readonly string[]): Promise<void> {
  for (const reference of references) {
    expectRefusal(await repository.pullManifest(reference), 404)
    expect((await repository.pullManifest(reference, 'HEAD')).status).toBe(404)
  }
}

async function deleted(repository: Repository, rest: string): Promise<void> {
  const response = await repository.delete(rest)
  expect(response.status, response.text()).toBe(202)
}

describe('Deleting tags (end-9)', () => {
  test('a tag is gone with 202, its manifest and its other tags stay', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const tag of ['v1', 'v2']) await repository.pushImage(image, tag)
    await deleted(repository, 'manifests/v1')
    await expectNoManifest(repository, ['v1'])
    for (const reference of ['v2', image.manifest.digest]) {
      expect((await repository.pullManifest(reference)).status).toBe(200)
    }
  })

  test('a tag that is not there is 404', async () => {
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random), 'v1')
    expectRefusal(await repository.delete('manifests/v2'), 404, 'MANIFEST_UNKNOWN')
    await deleted(repository, 'manifests/v1')
    expectRefusal(await repository.delete('manifests/v1'), 404, 'MANIFEST_UNKNOWN')
  })

  test('a deleted tag can be pushed again', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'v1')
    await deleted(repository, 'manifests/v1')
    await repository.pushManifest(image.manifest, 'v1')
    expect((await repository.pullManifest('v1')).status).toBe(200)
  })
})

describe('Deleting Manifests (end-9)', () => {
  test('a manifest is gone with 202, and every tag on it', async () => {
    const repository = target.repository()
    const [image, other] = [randomImage(target.random), randomImage(target.random)]
    for (const tag of ['v1', 'v2']) await repository.pushImage(image, tag)
    await repository.pushImage(other, 'v3')
    await deleted(repository, `manifests/${image.manifest.digest}`)
    await expectNoManifest(repository, ['v1', 'v2', image.manifest.digest])
    expect((await repository.pullManifest('v3')).status).toBe(200)
    expect((await repository.get('tags/list')).json()).toMatchObject({ tags: ['v3'] })
  })

  test.each(['sha256', 'sha512'] as const)(
    'a deleted manifest by %s can be pushed again',
    async (algorithm) => {
      const repository = target.repository()
      const image = randomImage(target.random, { algorithm })
      await repository.pushImage(image)
      await deleted(repository, `manifests/${image.manifest.digest}`)
      await expectNoManifest(repository, [image.manifest.digest])
      await repository.pushImage(image)
      const response = await repository.pullManifest(image.manifest.digest)
      expect(response.body.equals(image.manifest.bytes)).toBe(true)
    },
  )

  test('a manifest or repository that is not there is 404', async () => {
    const repository = target.repository()
    const { digest } = contentOf(target.random.bytes(9))
    expectRefusal(await repository.delete(`manifests/${digest}`), 404)
    await repository.pushImage(randomImage(target.random))
    expectRefusal(await repository.delete(`manifests/${digest}`), 404, 'MANIFEST_UNKNOWN')
  })

  test('the same manifest in another repository stays', async () => {
    const [here, elsewhere] = [target.repository(), target.repository()]
    const image = randomImage(target.random)
    for (const repository of [here, elsewhere]) await repository.pushImage(image, 'v1')
    await deleted(here, `manifests/${image.manifest.digest}`)
    expect((await elsewhere.pullManifest('v1')).status).toBe(200)
    for (const blob of image.blobs) await expectBlob(elsewhere, blob)
  })

  test('an index goes without its children, a child without its index', async () => {
    const repository = target.repository()
    const { index, images } = randomMultiPlatformImage(target.random)
    for (const image of images) await repository.pushImage(image)
    await repository.pushManifest(index, 'v1')
    const [first, second] = images
    await deleted(repository, `manifests/${first?.manifest.digest}`)
    expect((await repository.pullManifest('v1')).status).toBe(200)
    await deleted(repository, `manifests/${index.digest}`)
    await expectNoManifest(repository, ['v1', index.digest])
    expect((await repository.pullManifest(second?.manifest.digest ?? '')).status).toBe(200)
  })
})

describe('Deleting Blobs (end-10)', () => {
  test.each(['sha256', 'sha512'] as const)(
    'a blob by %s is gone with 202 and can come back',
    async (algorithm) => {
      const repository = target.repository()
      const blob = contentOf(target.random.bytes(40_000), { algorithm })
      for (let time = 0; time < 2; time++) {
        await repository.pushBlob(blob)
        await expectBlob(repository, blob)
        await deleted(repository, `blobs/${blob.digest}`)
        await expectNoBlob(repository, blob.digest)
      }
    },
  )

  test('a blob that is not there, or no more, is 404 BLOB_UNKNOWN', async () => {
    const repository = target.repository()
    const blob = contentOf(target.random.bytes(10))
    expectRefusal(await repository.delete(`blobs/${blob.digest}`), 404)
    await repository.pushBlob(blob)
    await deleted(repository, `blobs/${blob.digest}`)
    expectRefusal(await repository.delete(`blobs/${blob.digest}`), 404, 'BLOB_UNKNOWN')
  })

  test('the same blob in another repository stays', async () => {
    const [here, elsewhere] = [target.repository(), target.repository()]
    const blob = contentOf(target.random.bytes(40_000))
    for (const repository of [here, elsewhere]) await repository.pushBlob(blob)
    await deleted(here, `blobs/${blob.digest}`)
    await expectNoBlob(here, blob.digest)
    await expectBlob(elsewhere, blob)
    await deleted(elsewhere, `blobs/${blob.digest}`)
    await expectNoBlob(elsewhere, blob.digest)
  })

  test('what a manifest references can no more be pushed once its blob is deleted', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const blob of image.blobs) await repository.pushBlob(blob)
    await deleted(repository, `blobs/${image.blobs[1]?.digest}`)
    expectRefusal(await repository.sendManifest(image.manifest), 400, 'MANIFEST_BLOB_UNKNOWN')
  })
})

describe('Content Management: any order', () => {
  /** An image with a tag, an index over it and a referrer, and every path under which something of it is deleted. */
  async function everything() {
    const repository = target.repository()
    const { index, images } = randomMultiPlatformImage(target.random)
    for (const image of images) await repository.pushImage(image)
    await repository.pushManifest(index, 'v1')
    const subject = descriptorOf(index)
    const artifact = randomArtifact(target.random, { artifactType: 'a/b', subject })
    await repository.pushImage(artifact)
    const all = [...images, artifact]
    return {
      repository,
      subject,
      tags: ['manifests/v1'],
      manifests: [index, ...all.map((one) => one.manifest)].map((one) => `manifests/${one.digest}`),
      blobs: [...new Set(all.flatMap((one) => one.blobs.map((blob) => `blobs/${blob.digest}`)))],
    }
  }

  test.each([
    ['tags', 'manifests', 'blobs'],
    ['blobs', 'tags', 'manifests'],
    ['blobs', 'manifests'],
    ['manifests', 'blobs'],
    ['tags', 'blobs', 'manifests'],
  ] as const)('first %s, then %s', async (...order) => {
    const { repository, subject, ...paths } = await everything()
    for (const kind of order) for (const path of paths[kind]) await deleted(repository, path)
    for (const path of [...paths.tags, ...paths.manifests, ...paths.blobs]) {
      expect((await repository.get(path)).status, path).toBe(404)
    }
    expect(readIndex(await repository.get(`referrers/${subject.digest}`)).manifests).toEqual([])
    expect((await repository.get('tags/list')).json()).toMatchObject({ tags: [] })
  })

  test('at once, each exactly once', async () => {
    const { repository, manifests, blobs } = await everything()
    const paths = [...manifests, ...blobs]
    const answers = await Promise.all([...paths, ...paths].map((path) => repository.delete(path)))
    const statuses = answers.map((answer) => answer.status)
    expect(statuses.filter((status) => status === 202)).toHaveLength(paths.length)
    expect(statuses.filter((status) => status === 404)).toHaveLength(paths.length)
  })
})
