import { randomImage, type HttpClient } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { useRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { setVisibility } from './fixture.ts'

const registry = useRegistry({ users: usersFile })
let alice: HttpClient
let stranger: HttpClient
let repository: Repository
let [first, second] = ['', '']

interface History {
  changes: { tag: string; from: string | null; to: string | null; changedBy: string | null }[]
  next: string | null
}

const apiOf = (name: string) => `/api/v1/repositories/${encodeURIComponent(name)}`
const historyPath = (query = '') => `${apiOf(repository.name)}/history${query}`

async function history(http: HttpClient, query = ''): Promise<History> {
  const response = await http.send({ path: historyPath(query) })
  expect(response.status, response.text()).toBe(200)
  return response.json() as History
}

function restore(http: HttpClient, body: unknown, name = repository.name) {
  return http.send({
    ...{ method: 'POST', path: `${apiOf(name)}/restore`, headers: { 'content-type': 'application/json' } },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

beforeAll(async () => {
  alice = registry.clientOf('alice', passwords.alice)
  stranger = registry.http
  repository = registry.repository(undefined, alice)
  const images = [randomImage(registry.random), randomImage(registry.random)]
  for (const image of images) await repository.pushImage(image, 'latest')
  await repository.pushImage(randomImage(registry.random), 'customer-x')
  ;[first = '', second = ''] = images.map(({ manifest }) => manifest.digest)
  await alice.send({ method: 'DELETE', path: `/v2/${repository.name}/manifests/customer-x` })
  await setVisibility(alice, repository.name, 'public')
})

describe('The past of a public repository', () => {
  test('is whole for those who may push', async () => {
    const { changes } = await history(alice)
    expect(changes.map(({ tag }) => tag)).toEqual(['customer-x', 'customer-x', 'latest', 'latest'])
    expect(new Set(changes.map(({ changedBy }) => changedBy))).toEqual(new Set(['user:alice']))
    expect((await history(alice, '?tag=customer-x')).changes).toHaveLength(2)
  })

  test('is that of its tags for everybody else, without names', async () => {
    const { changes } = await history(stranger, '?tag=latest')
    expect(changes).toMatchObject([
      { from: first, to: second, changedBy: null },
      { from: null, to: first, changedBy: null },
    ])
    expect(JSON.stringify(changes)).not.toContain('alice')
  })

  test('does not show a stranger what was taken away, not even that it was there', async () => {
    for (const http of [stranger, registry.clientOf('', '')]) {
      const answers = []
      for (const query of ['', '?tag=customer-x', '?tag=never', '?tag=customer-x&at=2030-01-01T00:00:00Z']) {
        const response = await http.send({ path: historyPath(query) })
        expect(response.status).toBe(401)
        answers.push(response.text())
      }
      expect(new Set(answers).size).toBe(1)
      expect(answers[0]).not.toContain('customer')
    }
  })

  test('is not for strangers to bring back', async () => {
    for (const wish of [{ tag: 'latest' }, { tag: 'customer-x' }, { tag: 'never' }, { digest: first }])
      expect((await restore(stranger, wish)).status).toBe(401)
    expect((await history(alice)).changes).toHaveLength(4)
  })
})

describe('A page of history', () => {
  test('leads to the next one, and to no other repository', async () => {
    const other = registry.repository(undefined, alice)
    await other.pushImage(randomImage(registry.random), 'v1')
    const whole = (await history(alice)).changes
    const walked: History['changes'] = []
    let next: string | null = ''
    while (next !== null) {
      const page: History = await history(alice, `?n=1${next === '' ? '' : `&last=${next}`}`)
      expect(page.changes.length).toBeLessThanOrEqual(1)
      walked.push(...page.changes)
      next = page.next
    }
    expect(walked).toEqual(whole)
    const response = await alice.send({ path: `${apiOf(other.name)}/history?last=${'9'.repeat(15)}` })
    expect((response.json() as History).changes.map(({ tag }) => tag)).toEqual(['v1'])
  })

  test.each(['x', '-1', '1.5', '1e3', '%00', 'sha256:0', `${'9'.repeat(16)}`, "1'--", ' 1', '', '٣'])(
    'does not begin at a made-up "%s"',
    async (last) => {
      const response = await alice.send({ path: historyPath(`?last=${encodeURIComponent(last)}`) })
      expect(response.status).toBe(400)
      expect(response.json()).toMatchObject({ status: 400, code: 'PARAMETER_INVALID' })
    },
  )

  test.each(['0', '1', '9'.repeat(15)])(
    'begins at any number, if need be at none of ours: %s',
    async (last) => {
      const { changes } = await history(alice, `?last=${last}`)
      expect([0, 4]).toContain(changes.length)
    },
  )

  test.each(['monday', '2026-11-16', '2026-11-16T10:00:00', '16', 'now', '2026-99-99T00:00:00Z'])(
    'knows no moment "%s"',
    async (at) => {
      const response = await alice.send({ path: historyPath(`?tag=latest&at=${encodeURIComponent(at)}`) })
      expect(response.json()).toMatchObject({ status: 400, code: 'PARAMETER_INVALID' })
    },
  )

  test('wants a tag with a moment', async () => {
    const response = await alice.send({ path: historyPath('?at=2026-11-16T10:00:00Z') })
    expect(response.json()).toMatchObject({ status: 400, code: 'PARAMETER_INVALID' })
  })
})

describe('A wish to restore', () => {
  const at = '2026-11-16T10:00:00Z'
  const some = `sha256:${'a'.repeat(64)}`

  test.each([
    ['nothing', {}],
    ['a moment without a tag', { digest: some, at }],
    ['a digest and a moment', { tag: 'latest', digest: some, at }],
    ['a malformed digest', { digest: 'sha256:a' }],
    ['a malformed tag', { tag: '-' }],
    ['an unknown field', { tag: 'latest', force: true }],
    ['a list', []],
    ['a number', { tag: 5 }],
    ['no JSON', '{'],
  ])('that says %s is refused', async (_, wish) => {
    const response = await restore(alice, wish)
    expect(response.status, response.text()).toBe(400)
    expect(response.header('content-type')).toBe('application/problem+json')
  })

  test('for what never was is 404', async () => {
    expect((await restore(alice, { digest: some })).json()).toMatchObject({ code: 'MANIFEST_UNKNOWN' })
    expect((await restore(alice, { tag: 'never' })).json()).toMatchObject({ code: 'MANIFEST_UNKNOWN' })
    expect((await restore(alice, { tag: 'latest' }, 'never/was')).json()).toMatchObject({
      code: 'NAME_UNKNOWN',
    })
  })

  test('does not reach into other repositories', async () => {
    const other = registry.repository(undefined, alice)
    const image = randomImage(registry.random)
    await other.pushImage(image, 'v1')
    await alice.send({ method: 'DELETE', path: `/v2/${other.name}/manifests/${image.manifest.digest}` })
    const response = await restore(alice, { tag: 'theirs', digest: image.manifest.digest })
    expect(response.json()).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' })
  })
})
