import { contentOf, randomImage } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { useTarget } from './target.ts'

const target = useTarget()

/** Names that the grammar allows ("Pulling manifests"). Each gets random letters, so that it is new. */
const goodNames = [
  'x',
  'x/y',
  'x/y/z/a/b/c/d/e/f',
  '0',
  'a.b',
  'a_b',
  'a__b',
  'a-b',
  'a--b',
  'a---b/c-d.e_f',
  'blobs',
  'blobs/uploads',
  'manifests',
  'manifests/manifests',
  'tags',
  'tags/list',
  'uploads',
  'x/blobs',
  'x/blobs/uploads',
  'x/tags/list',
  'x/manifests',
  'referrers/referrers',
  'x/referrers',
  'v2/v2',
  'x/ext/discover',
]

describe('Repository names (Pulling manifests)', () => {
  test.each(goodNames)('%s is one: everything works in it', async (form) => {
    // At the front, so that the end of the name stays what it is.
    const repository = target.repository(`${target.random.word(9)}${form.startsWith('x') ? '' : '/'}${form}`)
    const image = randomImage(target.random)
    await repository.pushImage(image, 'latest')
    const response = await repository.pullManifest('latest')
    expect(response.status).toBe(200)
    expect(response.header('docker-content-digest')).toBe(image.manifest.digest)
    expect((await repository.get('tags/list')).json()).toEqual({ name: repository.name, tags: ['latest'] })
    expect((await repository.get(`referrers/${image.manifest.digest}`)).status).toBe(200)
    const upload = await repository.openUpload()
    expect((await upload.status()).status).toBe(204)
    expect((await upload.cancel()).status).toBe(204)
    for (const blob of image.blobs) expect((await repository.delete(`blobs/${blob.digest}`)).status).toBe(202)
    expect((await repository.delete(`manifests/${image.manifest.digest}`)).status).toBe(202)
  })

  test.each(['blobs', 'manifests', 'tags', 'uploads', 'referrers', 'v2'])(
    'a single component named %s works',
    async (name) => {
      const repository = target.repository(name)
      const image = randomImage(target.random)
      const tag = target.random.word(20)
      await repository.pushImage(image, tag)
      expect((await repository.pullManifest(tag)).status).toBe(200)
      const { tags } = (await repository.get('tags/list')).json() as { tags: string[] }
      expect(tags).toContain(tag)
      expect((await repository.delete(`manifests/${image.manifest.digest}`)).status).toBe(202)
    },
  )

  test.each([
    'Upper',
    'a..b',
    '.a',
    'a.',
    '-a',
    'a-',
    '_a',
    'a___b',
    'a._b',
    'a//b',
    'a/./b',
    'a/../b',
    'a b',
    'ä',
    'a%2Fb',
    'a%00b',
    'a:b',
    'a@b',
    'a/B',
    '%2e%2e/a',
    '%61',
  ])('%s is none: nothing can be pushed to it or pulled from it', async (name) => {
    const path = `/v2/${name === 'ä' ? '%C3%A4' : name.replace(' ', '%20')}`
    const digest = contentOf('x').digest
    const requests = [
      { path: `${path}/manifests/latest`, method: 'GET' },
      { path: `${path}/tags/list`, method: 'GET' },
      { path: `${path}/blobs/${digest}`, method: 'GET' },
      { path: `${path}/blobs/uploads/`, method: 'POST' },
      { path: `${path}/manifests/latest`, method: 'DELETE' },
    ]
    for (const request of requests) {
      const response = await target.http.send(request)
      expect([400, 404], `${request.method} ${request.path}`).toContain(response.status)
      if (target.isOurs) expectRefusal(response, response.status)
    }
  })

  test('a name of 255 characters with the host works, one that is far longer is refused', async () => {
    const room = 255 - target.http.origin.host.length - 1
    const name = `${target.random.word(20)}/${'a'.repeat(room - 21)}`
    const repository = target.repository(name)
    await repository.pushImage(randomImage(target.random), 'v1')
    expect((await repository.pullManifest('v1')).status).toBe(200)
    const long = await target
      .repository(`${name}${'a'.repeat(300)}`)
      .send('blobs/uploads/', { method: 'POST' })
    expect([400, 404]).toContain(long.status)
    expectRefusal(long, long.status)
  })
})

describe('Tags (Pulling manifests)', () => {
  test.each(['a', '_', '0', 'A.b-c_D', 'v1.0.0-rc.1', 'list', 'a'.repeat(128), 'latest'])(
    '%s is one',
    async (tag) => {
      const repository = target.repository()
      await repository.pushImage(randomImage(target.random), tag)
      expect((await repository.pullManifest(tag)).status).toBe(200)
      expect((await repository.get('tags/list')).json()).toMatchObject({ tags: [tag] })
    },
  )

  test.each(['.a', '-a', 'a'.repeat(129), 'a%20b', 'a%2Fb', '%C3%A4', 'a+b', 'a%00', 'a@b', '%22'])(
    '%s is none: it cannot be pushed',
    async (tag) => {
      const repository = target.repository()
      const image = randomImage(target.random)
      for (const blob of image.blobs) await repository.pushBlob(blob)
      const response = await repository.sendManifest(image.manifest, tag)
      expect([400, 404]).toContain(response.status)
      if (target.isOurs) expectRefusal(response, response.status)
    },
  )
})
