import { imageIndex, type HttpResponse } from '@openregistry/testkit'
import { beforeAll, expect, test } from 'vitest'
import type { Repository } from '../conformance/repository.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()
const count = 10_000
/** In the order of bytes: upper case, the underscore, lower case; the longest that tags can be. */
const tags = Array.from({ length: count }, (_, number) => {
  const kind = ['A', '_', 'a', 'v1.0-', 'z'.repeat(120)][number % 5] ?? ''
  return `${kind}${String(number).padStart(5, '0')}`
}).toSorted((one, two) => (one < two ? -1 : 1))
let repository: Repository

beforeAll(async () => {
  // The name is as long as it can be, too.
  repository = registry.repository(`n/${'a'.repeat(253)}`)
  for (let start = 0; start < count; start += 100) {
    const index = imageIndex({ manifests: [], annotations: { start: String(start) } })
    // Some of them are longer than a request target may be.
    for (let part = start; part < start + 100; part += 50) {
      const query = tags.slice(part, part + 50).map((tag) => `tag=${tag}`)
      const response = await repository.sendManifest(index, `${index.digest}?${query.join('&')}`)
      expect(response.status, response.text()).toBe(201)
    }
  }
})

/** Follows links from a path on. */
async function follow(path: string): Promise<HttpResponse[]> {
  const pages: HttpResponse[] = []
  for (let next: string | undefined = path; next !== undefined;) {
    const response: HttpResponse = await registry.http.send({ path: next })
    expect(response.status).toBe(200)
    pages.push(response)
    next = /^<([^>]+)>; rel="next"$/.exec(response.header('link') ?? '')?.[1]
  }
  return pages
}

const tagsOf = (response: HttpResponse): string[] => (response.json() as { tags: string[] }).tags

test.each([
  ['', 10],
  ['?n=1000', 10],
  ['?n=999', 11],
  ['?n=100000000', 10],
  ['?n=777', 13],
])('tags/list%s: each tag once, in the order of bytes, on %i pages', async (query, pages) => {
  const all = await follow(repository.path(`tags/list${query}`))
  expect(all.flatMap(tagsOf)).toEqual(tags)
  expect(all.length).toBe(pages)
})

test('a list begins after any tag, there or not', async () => {
  for (const place of [0, 1, 4999, 9998, 9999]) {
    const last = tags[place] ?? ''
    const response = await repository.get(`tags/list?n=2&last=${last}`)
    expect(tagsOf(response)).toEqual(tags.slice(place + 1, place + 3))
    const between = await repository.get(`tags/list?n=2&last=${last}!`)
    expect(tagsOf(between)).toEqual(tags.slice(place + 1, place + 3))
  }
})

test('the management API lists the same', async () => {
  const names: string[] = []
  let last: string | null = ''
  while (last !== null) {
    const path = `/api/v1/repositories/${encodeURIComponent(repository.name)}/tags?n=1000`
    const query: string = last === '' ? '' : `&last=${encodeURIComponent(last)}`
    const response = await registry.http.send({ path: `${path}${query}` })
    const page = response.json() as { tags: { name: string }[]; next: string | null }
    names.push(...page.tags.map(({ name }) => name))
    last = page.next
  }
  expect(names).toEqual(tags)
})

test('a manifest goes with all of its hundred tags', async () => {
  const index = imageIndex({ manifests: [], annotations: { start: '0' } })
  expect((await repository.delete(`manifests/${index.digest}`)).status).toBe(202)
  const left = (await follow(repository.path('tags/list'))).flatMap(tagsOf)
  expect(left).toEqual(tags.slice(100))
})
