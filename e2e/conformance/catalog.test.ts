import { randomImage } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from './expectations.ts'
import { allPages, nextPage } from './pages.ts'
import { useTarget } from './target.ts'

const target = useTarget()

async function listFrom(path: string): Promise<string[]> {
  const pages = await allPages(target.http, path)
  return pages.flatMap((page) => (page.json() as { repositories: string[] }).repositories)
}

describe('Catalog (Docker Registry HTTP API V2, _catalog)', () => {
  const names: string[] = []

  beforeAll(async () => {
    const image = randomImage(target.random)
    for (let index = 0; index < 5; index++) {
      const repository = target.repository()
      await repository.pushImage(image, 'v1')
      names.push(repository.name)
    }
    names.sort()
  })

  test('every repository with a manifest is there once, in ASCII order', async () => {
    const all = await listFrom('/v2/_catalog')
    expect(all).toEqual([...new Set(all)].toSorted())
    expect(all).toEqual(expect.arrayContaining(names))
  })

  test('n and last page through it', async () => {
    const all = await listFrom('/v2/_catalog')
    expect(await listFrom('/v2/_catalog?n=2')).toEqual(all)
    const [first = ''] = names
    const response = await target.get(`/v2/_catalog?n=1&last=${encodeURIComponent(first)}`)
    const next = all[all.indexOf(first) + 1]
    expect(response.json()).toEqual({ repositories: [next] })
  })

  test('n=0 is empty, bad values are 400 or ignored', async () => {
    const none = await target.get('/v2/_catalog?n=0')
    expect([200, 400]).toContain(none.status)
    if (none.status === 200) expect(nextPage(none)).toBeNull()
    for (const n of ['-1', 'abc', '1e9']) {
      expect([200, 400], n).toContain((await target.get(`/v2/_catalog?n=${n}`)).status)
    }
    expect((await target.get('/v2/_catalog?n=1000000000000')).status).toBeLessThan(500)
  })

  test('a repository that only had an upload is not there', async () => {
    const repository = target.repository()
    await repository.openUpload()
    expect(await listFrom('/v2/_catalog')).not.toContain(repository.name)
  })

  test('it cannot be written', async (context) => {
    target.oursAlone(context)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await target.http.send({ method, path: '/v2/_catalog' })
      expectRefusal(response, 405, 'UNSUPPORTED')
      expect(response.header('allow')).toBe('GET, HEAD')
    }
  })
})
