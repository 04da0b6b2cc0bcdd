import {
  descriptorOf,
  digestOf,
  emptyJson,
  imageIndex,
  imageManifest,
  type HttpClient,
  type HttpResponse,
} from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { useRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { fixture, setVisibility, type Fixture } from './fixture.ts'

const registry = useRegistry({ users: usersFile })
let alice: HttpClient
/** Private: everything that nobody else may hear of. */
let secret: Fixture
/** Public: where a stranger looks for it. */
let shown: Fixture

beforeAll(async () => {
  alice = registry.clientOf('alice', passwords.alice)
  secret = await fixture(registry, 'private', alice)
  shown = await fixture(registry, 'public', alice)
})

const unknown = digestOf(Buffer.from('nobody ever pushed this'))
const stranger = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  registry.http.send({ method, path, headers })

/** An answer with what differs anyway left out. */
function visible({ status, headers, body }: HttpResponse, digest: string): object {
  const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  return { status, headers: shown, body: body.toString().replaceAll(digest, '<digest>') }
}

describe('A digest that only a private repository has, asked for in a public one, is a digest that nobody has:', () => {
  const paths: Readonly<Record<string, (digest: string) => string>> = {
    blob: (digest) => `/v2/${shown.name}/blobs/${digest}`,
    manifest: (digest) => `/v2/${shown.name}/manifests/${digest}`,
    referrers: (digest) => `/v2/${shown.name}/referrers/${digest}`,
    inspection: (digest) => `/api/v1/repositories/${encodeURIComponent(shown.name)}/manifests/${digest}`,
  }

  test.each(Object.entries(paths))('%s', async (_, path) => {
    for (const digest of [secret.blob.digest, secret.manifest.digest, secret.referrer.digest]) {
      for (const method of ['GET', 'HEAD']) {
        for (const headers of [
          {},
          { range: 'bytes=0-0' },
          { 'if-none-match': `"${digest}"` },
          { 'if-none-match': '*' },
        ]) {
          const [theirs, nobodys] = [
            await stranger(path(digest), headers, method),
            await stranger(path(unknown), headers, method),
          ]
          expect(visible(theirs, digest)).toEqual(visible(nobodys, unknown))
        }
      }
    }
  })

  test('an index that names it', async () => {
    const children = [secret.manifest.digest, unknown].map((digest) => ({
      ...descriptorOf(secret.manifest),
      digest,
    }))
    const index = imageIndex({ manifests: children })
    const repository = new Repository(alice, shown.name)
    await repository.pushManifest(index, 'index')
    const path = `/api/v1/repositories/${encodeURIComponent(shown.name)}/manifests/index`
    const { manifests } = (await stranger(path)).json() as {
      manifests: { cid: unknown; location: unknown }[]
    }
    expect(manifests.map(({ cid, location }) => ({ cid, location }))).toEqual([
      { cid: null, location: null },
      { cid: null, location: null },
    ])
    expect((await stranger(`/v2/${shown.name}/manifests/${secret.manifest.digest}`)).status).toBe(404)
  })

  test('a manifest that needs it cannot be pushed, and the refusal is the same', async () => {
    const repository = new Repository(alice, shown.name)
    await repository.pushBlob(emptyJson)
    const answers = []
    for (const digest of [secret.blob.digest, unknown]) {
      const layer = { ...descriptorOf(secret.blob), digest: digest as typeof secret.blob.digest }
      const manifest = imageManifest({ config: descriptorOf(emptyJson), layers: [layer] })
      answers.push(visible(await repository.sendManifest(manifest, 'thief'), digest))
    }
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject({ status: 400 })
  })
})

describe('Lists for a stranger', () => {
  /** All pages, with the links between them. */
  async function pages(
    first: string,
    next: (response: HttpResponse) => string | null,
  ): Promise<HttpResponse[]> {
    const all: HttpResponse[] = []
    for (let path: string | null = first; path !== null; path = next(all.at(-1)!))
      all.push(await stranger(path))
    return all
  }
  const byLink = (response: HttpResponse): string | null =>
    /^<([^>]+)>/.exec(response.header('link') ?? '')?.[1] ?? null

  test.each([1, 2, 1000])('%i a page: no private name, no gap, no hint', async (n) => {
    const [open, closed]: [string[], string[]] = [[], []]
    // Private ones between, before and after the public ones.
    for (const [index, letter] of ['a', 'b', 'c', 'd', 'e', 'f', 'g'].entries()) {
      const name = `list${n}/${letter}`
      await new Repository(alice, name).pushManifest(imageIndex({ manifests: [] }), 'v1')
      if (index % 2 === 1) await setVisibility(alice, name, 'public')
      const names = index % 2 === 1 ? open : closed
      names.push(name)
    }
    const catalog = await pages(`/v2/_catalog?n=${n}`, byLink)
    const api = await pages(`/api/v1/repositories?n=${n}`, (response) => {
      const { next } = response.json() as { next: string | null }
      return next === null ? null : `/api/v1/repositories?n=${n}&last=${encodeURIComponent(next)}`
    })
    for (const list of [catalog, api]) {
      const text = list.map((page) => page.text() + (page.header('link') ?? '')).join('\n')
      for (const name of open) expect(text).toContain(name)
      for (const name of [...closed, secret.name]) expect(text).not.toContain(name)
    }
    const sizes = catalog.map((page) => (page.json() as { repositories: string[] }).repositories.length)
    for (const size of sizes.slice(0, -1)) expect(size, 'every page but the last is full').toBe(n)
    expect(sizes.at(-1)).toBeGreaterThan(0)
  })

  test('nothing is between the places before and after a private name', async () => {
    const before = secret.name.slice(0, -1)
    for (const list of ['/v2/_catalog', '/api/v1/repositories']) {
      const ask = async (last: string) => (await stranger(`${list}?last=${encodeURIComponent(last)}`)).json()
      expect(await ask(before)).toEqual(await ask(`${before}~`))
    }
  })
})

test('the readiness, the metrics and the first page name no repository', async () => {
  for (const path of ['/', '/readyz', '/healthz', '/api/v1/openapi.json']) {
    const text = (await stranger(path)).text()
    expect(text).not.toContain(secret.name)
    expect(text).not.toContain('access/')
  }
  const metrics = await alice.send({ path: '/metrics' })
  expect(metrics.status).toBe(200)
  expect(metrics.text()).not.toContain('access/')
  expect(metrics.text()).not.toMatch(/alice|bob|sha256/)
})
