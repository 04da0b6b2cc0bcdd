import { mediaTypes } from '@openregistry/oci'
import {
  contentOf,
  descriptorOf,
  emptyJson,
  type HttpClient,
  imageManifest,
  randomFrom,
  randomImage,
} from '@openregistry/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { allPages, nextPage } from './pages.ts'
import { allReferrers } from './referrers.ts'
import { Repository } from './repository.ts'
import {
  canStartRegistry,
  clientOf,
  startTemporaryRegistry,
  type TemporaryRegistry,
} from './start-registry.ts'

const random = randomFrom('limits')
const page = 3
const uploads = 3
const manifestLimit = 64 * 1024

/** A registry of ours with small limits, so that they can be reached. */
let registry: TemporaryRegistry | null = null
let http: HttpClient
const repository = () => new Repository(http, `limits/${random.word(12)}`)

beforeAll(async () => {
  // Every test skips itself then.
  if (!canStartRegistry()) return
  registry = await startTemporaryRegistry({
    OPEN_REGISTRY_LIMITS_PAGE: String(page),
    OPEN_REGISTRY_LIMITS_UPLOADS_PER_REPOSITORY: String(uploads),
    OPEN_REGISTRY_LIMITS_MANIFEST: '64KiB',
  })
  http = clientOf(registry)
})

afterAll(async () => {
  if (registry === null) return
  http[Symbol.dispose]()
  await registry[Symbol.asyncDispose]()
})

describe('Error Codes: 429', () => {
  test('one upload too many is 429 TOOMANYREQUESTS with Retry-After, until another one ends', async () => {
    const busy = repository()
    const [first] = await Promise.all(Array.from({ length: uploads }, () => busy.openUpload()))
    const refused = await busy.send('blobs/uploads/', { method: 'POST' })
    expectRefusal(refused, 429, 'TOOMANYREQUESTS')
    expect(refused.header('retry-after')).toMatch(/^[1-9]\d*$/)
    expect((await repository().send('blobs/uploads/', { method: 'POST' })).status).toBe(202)
    await first?.cancel()
    await busy.openUpload()
  })
})

describe('Pushing Manifests: 413', () => {
  test.each([
    ['length', 0, 201],
    ['length', 1, 413],
    ['chunked', 0, 201],
    ['chunked', 1, 413],
  ] as const)('with %s, %i bytes over the limit: %i', async (framing, over, status) => {
    const here = repository()
    const image = randomImage(random, { layers: 0 })
    for (const blob of image.blobs) await here.pushBlob(blob)
    const json = image.manifest.bytes.toString()
    // White space is a part of the document, too.
    const body = json + ' '.repeat(manifestLimit + over - json.length)
    const response = await here.send('manifests/v1', {
      method: 'PUT',
      headers: { 'content-type': mediaTypes.ociManifest },
      body,
      framing,
    })
    expect(response.status).toBe(status)
    if (status === 413) expectRefusal(response, 413, 'SIZE_INVALID')
    expect((await here.pullManifest('v1')).status).toBe(status === 201 ? 200 : 404)
  })

  test('a body without end is cut off', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(16 * 1024, ' ')
    }
    const answer = repository().send('manifests/v1', {
      method: 'PUT',
      headers: { 'content-type': mediaTypes.ociManifest },
      body: endless(),
    })
    // The answer, or the connection is closed while the client still sends.
    const status = await answer.then(
      (response) => response.status,
      () => 'closed' as const,
    )
    expect([413, 'closed']).toContain(status)
    expect((await http.send({ path: '/v2/' })).status).toBe(200)
  })
})

describe('Lists: n is clamped to the longest page, with a Link', () => {
  test('tags', async () => {
    const here = repository()
    const image = randomImage(random, { layers: 0 })
    const tags = Array.from({ length: 8 }, (_, index) => `v${index}`)
    for (const tag of tags) await here.pushImage(image, tag)
    for (const query of ['', '?n=1000', '?n=1000000000000']) {
      const first = await here.get(`tags/list${query}`)
      expect(first.json()).toMatchObject({ tags: tags.slice(0, page) })
      expect(nextPage(first)).not.toBeNull()
      const pages = await allPages(http, here.path(`tags/list${query}`))
      expect(pages.flatMap((one) => (one.json() as { tags: string[] }).tags)).toEqual(tags)
    }
  })

  test('repositories', async () => {
    const image = randomImage(random, { layers: 0 })
    for (let count = 0; count < 2 * page; count++) await repository().pushImage(image)
    const pages = await allPages(http, '/v2/_catalog?n=1000')
    const lists = pages.map((one) => (one.json() as { repositories: string[] }).repositories)
    for (const list of lists.slice(0, -1)) expect(list).toHaveLength(page)
    expect(lists.flat().length).toBeGreaterThanOrEqual(2 * page)
    expect(new Set(lists.flat()).size).toBe(lists.flat().length)
  })

  test('Listing Referrers: a list that is too long has a Link', async () => {
    const here = repository()
    const subject = descriptorOf(contentOf('later', { mediaType: mediaTypes.ociManifest }))
    await here.pushBlob(emptyJson)
    for (let index = 0; index < 8; index++) {
      const options = { layers: [], subject, artifactType: 'a/b', extra: { index } }
      await here.pushManifest(imageManifest({ config: descriptorOf(emptyJson), ...options }))
    }
    expect(nextPage(await here.get(`referrers/${subject.digest}`))).not.toBeNull()
    const found = await allReferrers(here, `referrers/${subject.digest}`)
    expect(new Set(found.map((one) => one.digest)).size).toBe(8)
  })
})
