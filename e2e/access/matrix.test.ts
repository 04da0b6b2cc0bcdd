import type { HttpClient, HttpRequest, HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { v2Methods as methods, type V2Target as Target } from '@openregistry/server'
import { useRegistry, type LocalRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { fixture, type Fixture, type State } from './fixture.ts'
import { ofTheRegistry, probes, type Probe } from './requests.ts'

const open = useRegistry()
const guarded = useRegistry({ users: usersFile })
let alice: HttpClient
let stranger: HttpClient
let nobody: HttpClient
let impostor: HttpClient

beforeAll(() => {
  alice = guarded.clientOf('alice', passwords.alice)
  stranger = guarded.http
  nobody = guarded.clientOf('', '')
  impostor = guarded.clientOf('alice', passwords.bob)
})

const states: readonly State[] = ['public', 'private', 'missing']

/** Repositories for requests that change nothing, or must not. */
const lasting = new Map<string, Promise<Fixture>>()

function lastingFixture(registry: LocalRegistry, state: State, owner: HttpClient): Promise<Fixture> {
  const key = `${registry === open ? 'open' : 'guarded'} ${state}`
  const made = lasting.get(key) ?? fixture(registry, state, owner)
  lasting.set(key, made)
  return made
}

/** A repository that a principal who may do everything asks for something. */
function fixtureFor(
  probe: Probe,
  registry: LocalRegistry,
  state: State,
  owner: HttpClient,
): Promise<Fixture> {
  return / (GET|HEAD)$|^(GET|HEAD) /.test(probe.route)
    ? lastingFixture(registry, state, owner)
    : fixture(registry, state, owner)
}

/** The title of a probe. */
const titled = probes.map((probe) => ({ title: `${probe.route} ${probe.how}`.trim(), probe }))

/** The status that a principal gets. */
function expectedStatus({ expected, route, how }: Probe, isKnown: boolean, state: State): number {
  if (isKnown) return state === 'missing' ? expected.missing : expected.allowed
  const ofOneRepository = !ofTheRegistry.has(route) && !how.includes('of the registry')
  return ofOneRepository && state !== 'public' ? 401 : expected.stranger
}

/** What an answer of this status has to have besides. */
function expectForm(response: HttpResponse, { method, path }: HttpRequest): void {
  const isHead = method === 'HEAD'
  if (isHead) expect(response.body.length).toBe(0)
  if (response.status === 401) expect(response.header('www-authenticate')).toMatch(/^Basic realm=/)
  if (response.status < 400 || isHead) return
  const type = path.startsWith('/v2') ? 'application/json' : 'application/problem+json'
  expect(response.header('content-type')).toBe(type)
}

describe('Every route has an expectation:', () => {
  const known = new Set(probes.map((probe) => probe.route))

  test.each(Object.entries(methods) as [Target['kind'], readonly string[]][])('/v2 %s', (kind, allowed) => {
    for (const method of allowed) expect(known, 'add it to requests.ts').toContain(`${kind} ${method}`)
  })

  test('/api/v1', async () => {
    const response = await open.http.send({ path: '/api/v1/openapi.json' })
    const { paths } = response.json() as { paths: Record<string, Record<string, unknown>> }
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(routes.length).toBeGreaterThan(0)
    for (const route of routes) expect(known, 'add it to requests.ts').toContain(route)
  })
})

describe.each(titled)('$title', ({ probe }) => {
  test.each(states)('the operator of open mode: a %s repository', async (state) => {
    const about = await fixtureFor(probe, open, state, open.http)
    const request = probe.request(about)
    const response = await open.http.send(request)
    expect(response.status, response.text()).toBe(expectedStatus(probe, true, state))
    expectForm(response, request)
  })

  test.each(states)('a user of the users file: a %s repository', async (state) => {
    const about = await fixtureFor(probe, guarded, state, alice)
    const request = probe.request(about)
    const response = await alice.send(request)
    expect(response.status, response.text()).toBe(expectedStatus(probe, true, state))
    expectForm(response, request)
  })

  test.each(states)('nobody: a %s repository', async (state) => {
    const about = await lastingFixture(guarded, state, alice)
    const request = probe.request(about)
    const before = [guarded.stored.content(), guarded.stored.repositories(), guarded.stored.openUploads()]
    for (const http of [stranger, nobody]) {
      const response = await http.send(request)
      expect(response.status, response.text()).toBe(expectedStatus(probe, false, state))
      expectForm(response, request)
    }
    const after = [guarded.stored.content(), guarded.stored.repositories(), guarded.stored.openUploads()]
    expect(after, 'strangers change nothing').toEqual(before)
  })

  test.each(states)('a wrong password: a %s repository', async (state) => {
    const about = await lastingFixture(guarded, state, alice)
    const request = probe.request(about)
    const response = await impostor.send(request)
    expect(response.status, response.text()).toBe(probe.page === true ? probe.expected.stranger : 401)
    expectForm(response, request)
  })
})
