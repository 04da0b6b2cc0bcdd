import { mediaTypes } from '@openregistry/oci'
import {
  contentOf,
  descriptorOf,
  emptyJson,
  imageIndex,
  imageManifest,
  randomArtifact,
  randomImage,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { nextPage } from './pages.ts'
import { allReferrers, readIndex } from './referrers.ts'
import { useTarget } from './target.ts'

const target = useTarget()
const sbom = 'application/vnd.example.sbom'
const signature = 'application/vnd.example.signature'
const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1)

/** An image with referrers of every kind, and the descriptors that a list of them has to have. */
async function imageWithReferrers() {
  const repository = target.repository()
  const image = randomImage(target.random)
  await repository.pushImage(image, 'v1')
  const subject = descriptorOf(image.manifest)
  const annotations = { 'org.example.a': 'ü "quoted"', 'org.example.b': '' }
  const artifact = randomArtifact(target.random, { artifactType: sbom, subject, annotations })
  const typedByConfig = randomImage(target.random, { subject })
  const other = randomArtifact(target.random, { artifactType: signature, subject })
  for (const one of [artifact, typedByConfig, other]) await repository.pushImage(one)
  const index = imageIndex({ manifests: [descriptorOf(image.manifest)], subject, annotations })
  const typedIndex = imageIndex({ manifests: [], subject, artifactType: sbom })
  for (const one of [index, typedIndex]) await repository.pushManifest(one)
  const expected = [
    descriptorOf(artifact.manifest, { artifactType: sbom, annotations }),
    descriptorOf(typedByConfig.manifest, { artifactType: mediaTypes.ociConfig }),
    descriptorOf(other.manifest, { artifactType: signature }),
    descriptorOf(index, { annotations }),
    descriptorOf(typedIndex, { artifactType: sbom }),
  ]
  return { repository, subject, expected: expected.toSorted(byDigest) }
}

describe('Listing Referrers (end-12a)', () => {
  test('every image and index with this subject is there, with its artifact type and annotations', async () => {
    const { repository, subject, expected } = await imageWithReferrers()
    const found = await allReferrers(repository, `referrers/${subject.digest}`)
    expect(found.toSorted(byDigest)).toEqual(expected)
  })

  test('a manifest without referrers has an empty list', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image)
    expect(readIndex(await repository.get(`referrers/${image.manifest.digest}`)).manifests).toEqual([])
  })

  test.each(['sha256', 'sha512'] as const)(
    'an unknown %s digest has an empty list, and so has a repository that does not exist',
    async (algorithm) => {
      const repository = target.repository()
      const { digest } = contentOf(target.random.bytes(9), { algorithm })
      expect(readIndex(await repository.get(`referrers/${digest}`)).manifests).toEqual([])
      await repository.pushImage(randomImage(target.random))
      expect(readIndex(await repository.get(`referrers/${digest}`)).manifests).toEqual([])
    },
  )

  test.each(['latest', 'sha256:x', `sha256:${'A'.repeat(64)}`, 'sha256', `md5:${'0'.repeat(32)}`])(
    'the invalid digest %s is 400',
    async (digest) => {
      const repository = target.repository()
      await repository.pushImage(randomImage(target.random), 'latest')
      expectRefusal(await repository.get(`referrers/${digest}`), 400)
    },
  )

  test('referrers of another repository are not listed', async () => {
    const { subject } = await imageWithReferrers()
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random))
    expect(readIndex(await repository.get(`referrers/${subject.digest}`)).manifests).toEqual([])
  })

  test('a deleted referrer is gone at once, and one that is pushed again is back', async () => {
    const repository = target.repository()
    const subject = descriptorOf(randomImage(target.random).manifest)
    const artifact = randomArtifact(target.random, { artifactType: sbom, subject })
    const list = async () => readIndex(await repository.get(`referrers/${subject.digest}`)).manifests
    for (let time = 0; time < 2; time++) {
      await repository.pushImage(artifact)
      expect(await list()).toHaveLength(1)
      expect((await repository.delete(`manifests/${artifact.manifest.digest}`)).status).toBe(202)
      expect(await list()).toEqual([])
    }
  })

  test('a chain of referrers is listed link by link', async () => {
    const repository = target.repository()
    let subject = descriptorOf(randomImage(target.random).manifest)
    for (let depth = 0; depth < 3; depth++) {
      const artifact = randomArtifact(target.random, { artifactType: sbom, subject })
      await repository.pushImage(artifact)
      const { manifests } = readIndex(await repository.get(`referrers/${subject.digest}`))
      expect(manifests.map((one) => one.digest)).toEqual([artifact.manifest.digest])
      subject = descriptorOf(artifact.manifest)
    }
  })
})

describe('Listing Referrers: filter (end-12b)', () => {
  test.each([sbom, signature, mediaTypes.ociConfig, 'application/nothing'])(
    'artifactType=%s leaves those alone, and OCI-Filters-Applied says so',
    async (artifactType) => {
      const { repository, subject, expected } = await imageWithReferrers()
      const rest = `referrers/${subject.digest}?artifactType=${encodeURIComponent(artifactType)}`
      const response = await repository.get(rest)
      readIndex(response)
      expect(response.header('oci-filters-applied')).toBe('artifactType')
      const found = await allReferrers(repository, rest)
      const wanted = expected.filter((one) => one.artifactType === artifactType)
      expect(found.toSorted(byDigest)).toEqual(wanted)
    },
  )

  test('without a filter there is no OCI-Filters-Applied', async () => {
    const { repository, subject } = await imageWithReferrers()
    const response = await repository.get(`referrers/${subject.digest}`)
    expect(response.header('oci-filters-applied')).toBeNull()
  })

  test('an unknown parameter is ignored', async () => {
    const { repository, subject, expected } = await imageWithReferrers()
    const response = await repository.get(`referrers/${subject.digest}?colour=red`)
    expect(readIndex(response).manifests).toHaveLength(expected.length)
    expect(response.header('oci-filters-applied')).toBeNull()
  })
})

describe('Listing Referrers: pages (RFC 8288)', () => {
  test('each page is an index of its own, and together they have everything once', async (context) => {
    target.oursAlone(context)
    const repository = target.repository()
    const subject = descriptorOf(randomImage(target.random).manifest)
    await repository.pushBlob(emptyJson)
    const digests: string[] = []
    for (let index = 0; index < 23; index++) {
      const artifactType = index % 2 === 0 ? sbom : signature
      const config = descriptorOf(emptyJson)
      const manifest = imageManifest({ config, layers: [], subject, artifactType, extra: { index } })
      await repository.pushManifest(manifest)
      if (index % 2 === 0) digests.push(manifest.digest)
    }
    const first = await repository.get(`referrers/${subject.digest}?n=5`)
    expect(readIndex(first).manifests).toHaveLength(5)
    expect(nextPage(first)).toMatch(/^\/v2\//)
    expect(await allReferrers(repository, `referrers/${subject.digest}?n=5`)).toHaveLength(23)
    const filtered = `referrers/${subject.digest}?n=5&artifactType=${encodeURIComponent(sbom)}`
    const found = await allReferrers(repository, filtered)
    expect(found.map((one) => one.digest)).toEqual(digests.toSorted())
    expect((await repository.get(`referrers/${subject.digest}`)).header('link')).toBeNull()
  })
})

describe('Enabling the Referrers API', () => {
  test('a referrer that an old client lists under the fallback tag too is there once', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image)
    const subject = descriptorOf(image.manifest)
    const artifact = randomArtifact(target.random, { artifactType: sbom, subject })
    await repository.pushImage(artifact)
    const listed = imageIndex({ manifests: [descriptorOf(artifact.manifest, { artifactType: sbom })] })
    const fallbackTag = subject.digest.replace(':', '-')
    await repository.pushManifest(listed, fallbackTag)
    const found = await allReferrers(repository, `referrers/${subject.digest}`)
    expect(found.map((one) => one.digest)).toEqual([artifact.manifest.digest])
    const tagged = await repository.pullManifest(fallbackTag)
    expect(tagged.body.equals(listed.bytes)).toBe(true)
  })

  test('images that are copied with their fallback tags, in any order, have each referrer once', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    const subject = descriptorOf(image.manifest)
    const artifacts = [1, 2, 3].map(() => randomArtifact(target.random, { artifactType: sbom, subject }))
    const fallbackTag = subject.digest.replace(':', '-')
    // Old clients read the list, add one, and write it again; a copy may bring it before what it names.
    for (let count = 1; count <= artifacts.length; count++) {
      const known = artifacts
        .slice(0, count)
        .map(({ manifest }) => descriptorOf(manifest, { artifactType: sbom }))
      await repository.pushManifest(imageIndex({ manifests: known }), fallbackTag)
    }
    for (const artifact of artifacts.toReversed()) await repository.pushImage(artifact)
    expect((await allReferrers(repository, `referrers/${subject.digest}`)).length).toBe(3)
    await repository.pushImage(image, 'v1')
    const list = imageIndex({
      manifests: artifacts.map(({ manifest }) => descriptorOf(manifest, { artifactType: sbom })),
    })
    await repository.pushManifest(list, fallbackTag)
    const expected = artifacts.map(({ manifest }) => manifest.digest).toSorted()
    const found = async () =>
      (await allReferrers(repository, `referrers/${subject.digest}`)).map((one) => one.digest)
    expect(await found()).toEqual(expected)
    // The list is a list: without it, the referrers are what they are.
    expect((await repository.delete(`manifests/${fallbackTag}`)).status).toBe(202)
    expect(await found()).toEqual(expected)
    expect((await repository.delete(`manifests/${expected[0]}`)).status).toBe(202)
    expect(await found()).toEqual(expected.slice(1))
  })

  test('Referrers Tag Schema: the fallback tag is a tag like any other', async () => {
    const repository = target.repository()
    const image = randomImage(target.random, { algorithm: 'sha512' })
    await repository.pushImage(image)
    const [algorithm = '', encoded = ''] = image.manifest.digest.split(':')
    const tag = `${algorithm.slice(0, 32)}-${encoded.slice(0, 64)}`
    expect((await repository.pullManifest(tag)).status).toBe(404)
    await repository.pushManifest(imageIndex({ manifests: [] }), tag)
    expect((await repository.get('tags/list')).json()).toMatchObject({ tags: [tag] })
    expect((await repository.delete(`manifests/${tag}`)).status).toBe(202)
    expect((await repository.pullManifest(tag)).status).toBe(404)
  })
})
