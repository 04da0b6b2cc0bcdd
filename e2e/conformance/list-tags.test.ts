import { randomImage, type HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { allPages, nextPage } from './pages.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()

/** In the order of their bytes, which is that of the list: upper case before lower case. */
const tags = [
  '1',
  '10',
  '2',
  'A',
  'B',
  'Latest',
  '_x',
  'a',
  'a-b',
  'a.b',
  'ab',
  'latest',
  'test0',
  'test1',
  'z',
].toSorted((a, b) => (a < b ? -1 : 1))

function tagsOf(response: HttpResponse): string[] {
  expect(response.status, response.text()).toBe(200)
  expect(response.header('content-type')).toMatch(/^application\/json\b/)
  return (response.json() as { tags: string[] | null }).tags ?? []
}

describe('Listing Tags (end-8a)', () => {
  let repository: Repository

  beforeAll(async () => {
    repository = target.repository()
    const image = randomImage(target.random)
    await repository.pushImage(image, 'z')
    // Not in the order of the list.
    for (const tag of tags.toReversed()) await repository.pushManifest(image.manifest, tag)
  })

  const list = (query = '') => repository.get(`tags/list${query}`)

  test('all tags are there once, in ASCII order, under the name of the repository', async () => {
    const response = await list()
    expect(response.json()).toEqual({ name: repository.name, tags })
  })

  test.each([1, 2, 5, tags.length - 1])('n=%i gives that many, from the beginning (end-8b)', async (n) => {
    const response = await list(`?n=${n}`)
    expect(tagsOf(response)).toEqual(tags.slice(0, n))
    // Where there are more, the next page begins after the last of these.
    const next = nextPage(response)
    if (next !== null) expect(tagsOf(await target.get(next))).toEqual(tags.slice(n, 2 * n))
  })

  test.each([tags.length, tags.length + 1, 1000])('n=%i gives all, and no Link', async (n) => {
    const response = await list(`?n=${n}`)
    expect(tagsOf(response)).toEqual(tags)
    expect(response.header('link')).toBeNull()
  })

  test('n=0 gives an empty list, and no Link', async () => {
    const response = await list('?n=0')
    expect(tagsOf(response)).toEqual([])
    expect(response.header('link')).toBeNull()
  })

  test.each(['1', 'A', '_x', 'a.b', 'test0', 'z'])('last=%s goes on after it', async (last) => {
    const after = tags.slice(tags.indexOf(last) + 1)
    expect(tagsOf(await list(`?last=${last}`))).toEqual(after)
    expect(tagsOf(await list(`?n=3&last=${last}`))).toEqual(after.slice(0, 3))
  })

  test('last need not be there', async () => {
    expect(tagsOf(await list('?last=test'))).toEqual(tags.filter((tag) => tag > 'test'))
    expect(tagsOf(await list('?last=zzz'))).toEqual([])
    expect(tagsOf(await list('?last=0'))).toEqual(tags)
  })

  test('Link leads through all pages, each tag once', async (context) => {
    const pages = await allPages(target.http, repository.path('tags/list?n=4'))
    if (pages.length === 1) context.skip('the registry under test gives no Link; it may')
    expect(pages.map((page) => tagsOf(page).length)).toEqual([4, 4, 4, 3])
    expect(pages.flatMap(tagsOf)).toEqual(tags)
  })

  test('there is a Link exactly where more tags follow', async (context) => {
    target.oursAlone(context)
    for (const n of [1, 14]) expect(nextPage(await list(`?n=${n}`))).toMatch(/^\/v2\//)
    expect((await list('?n=1&last=test1')).header('link')).toBeNull()
  })

  test.each(['-1', 'abc', '1.5', '', '1e3', '0x10', '%00'])('n=%s is 400, or ignored', async (n) => {
    const response = await list(`?n=${n}`)
    if (response.status === 200) expect(tagsOf(response)).toEqual(tags)
    else expectRefusal(response, 400)
  })

  test('n=10^12 is no more than all', async () => {
    expect(tagsOf(await list('?n=1000000000000'))).toEqual(tags)
    expect(tagsOf(await list(`?n=${'9'.repeat(17)}`))).toEqual(tags)
  })

  test('a made-up last never harms', async () => {
    for (const last of ['%00', '%ff', '..%2f..', '%25', "a'--", 'x'.repeat(500), '']) {
      const response = await list(`?n=2&last=${last}`)
      expect([200, 400], last).toContain(response.status)
    }
  })
})

describe('Listing Tags', () => {
  test('a repository without tags has an empty list', async () => {
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random))
    const response = await repository.get('tags/list')
    expect(tagsOf(response)).toEqual([])
    expect(response.json()).toMatchObject({ name: repository.name })
  })

  test('digests are no tags', async () => {
    const repository = target.repository()
    await repository.pushImage(randomImage(target.random), 'v1')
    await repository.pushImage(randomImage(target.random))
    expect(tagsOf(await repository.get('tags/list'))).toEqual(['v1'])
  })

  test('a repository that does not exist is 404 NAME_UNKNOWN', async () => {
    expectRefusal(await target.repository().get('tags/list'), 404, 'NAME_UNKNOWN')
  })

  test('a deleted tag is gone from the list', async () => {
    const repository = target.repository()
    const image = randomImage(target.random)
    for (const tag of ['v1', 'v2']) await repository.pushImage(image, tag)
    expect((await repository.delete('manifests/v1')).status).toBe(202)
    expect(tagsOf(await repository.get('tags/list'))).toEqual(['v2'])
  })
})
