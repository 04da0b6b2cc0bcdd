import type { HttpClient, HttpRequest, HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { useRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { fixture, plan, setVisibility, type Fixture } from './fixture.ts'
import { probes } from './requests.ts'

const registry = useRegistry({ users: usersFile })
let alice: HttpClient
let bob: HttpClient

beforeAll(async () => {
  alice = registry.clientOf('alice', passwords.alice)
  bob = registry.clientOf('bob', passwords.bob)
  // Something that a list can show.
  await fixture(registry, 'public', alice)
})

/** Everything that a client can tell two answers apart by, but when they came and which they are. */
function visible({ status, headers, body }: HttpResponse): object {
  const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  return { status, headers: Object.fromEntries(shown), body: body.toString('latin1') }
}

/** Asks everything in the given way, one after the other. */
async function askAll(
  http: HttpClient,
  about: Fixture,
  change: (request: HttpRequest) => HttpRequest,
): Promise<object[]> {
  const answers = []
  for (const { request, route, how } of probes) {
    // The metrics count requests; large bodies cost time, and strangers are refused before them.
    if (route.includes('/metrics') || how === 'too large') continue
    answers.push(visible(await http.send(change(request(about)))))
  }
  return answers
}

/** Ways to ask that might be answered differently. */
const ways: Readonly<Record<string, (about: Fixture) => (request: HttpRequest) => HttpRequest>> = {
  'as it is': () => (request) => request,
  'with a range': () => withHeaders({ range: 'bytes=0-9' }),
  'with a range beyond the end': () => withHeaders({ range: 'bytes=99999999-' }),
  'if it is another blob': ({ blob }) => withHeaders({ 'if-none-match': `"${blob.digest}"` }),
  'if it is another manifest': ({ manifest }) => withHeaders({ 'if-none-match': `"${manifest.digest}"` }),
  'if it is anything': () => withHeaders({ 'if-none-match': '*' }),
  'for a type of manifest': ({ manifest }) => withHeaders({ accept: manifest.mediaType }),
  'as a page': () => withHeaders({ accept: 'text/html', 'user-agent': 'Mozilla/5.0' }),
  'with an empty login': () => withHeaders({ authorization: 'Basic Og==' }),
  'with another scheme': () => withHeaders({ authorization: 'Bearer x' }),
  'with a wrong password': () => withHeaders({ authorization: 'Basic YWxpY2U6eA==' }),
  'with any method': () => (request) => ({ ...request, method: 'PROPFIND' }),
}

function withHeaders(headers: Record<string, string>): (request: HttpRequest) => HttpRequest {
  return (request) => ({ ...request, headers: { ...request.headers, ...headers } })
}

describe('A stranger cannot tell a private repository from one that does not exist:', () => {
  test.each(Object.entries(ways))('asked %s', async (_, way) => {
    const { push, ...about } = plan(registry, `secret/${registry.random.word(16)}`)
    const missing = await askAll(registry.http, about, way(about))
    await push(alice)
    await new Repository(alice, about.source.name).pushBlob(about.source.blob)
    const invisible = await askAll(registry.http, about, way(about))
    expect(invisible).toEqual(missing)
    await setVisibility(alice, about.name, 'public')
    await askAll(registry.http, about, way(about))
    // Closed again, and at once.
    await setVisibility(alice, about.name, 'private')
    expect(await askAll(registry.http, about, way(about))).toEqual(missing)
    const path = `/api/v1/repositories/${encodeURIComponent(about.name)}`
    expect((await alice.send({ method: 'DELETE', path })).status).toBe(204)
    expect(await askAll(registry.http, about, way(about))).toEqual(missing)
  })

  test('while a public one is told by the same requests', async () => {
    const same = (request: HttpRequest): HttpRequest => request
    const { push, ...about } = plan(registry, `shown/${registry.random.word(16)}`)
    const missing = await askAll(registry.http, about, same)
    await push(alice)
    await setVisibility(alice, about.name, 'public')
    expect(await askAll(registry.http, about, same)).not.toEqual(missing)
  })

  test('nor a session in it', async () => {
    const about = await fixture(registry, 'private', alice)
    const made = { ...about, upload: '0'.repeat(32) }
    const same = (request: HttpRequest): HttpRequest => request
    expect(await askAll(registry.http, about, same)).toEqual(await askAll(registry.http, made, same))
  })
})

describe('A user who mounts, and asks for what others have pushed', () => {
  /** An answer to a mount, without the session that it opens. */
  const outcome = ({ status, headers, body }: HttpResponse): object => ({
    status,
    headers: [...headers.keys()].filter((name) => name !== 'date'),
    body: body.toString(),
  })
  const mount = (query: string) =>
    bob.send({ method: 'POST', path: `/v2/bob/${registry.random.word(12)}/blobs/uploads/?${query}` })

  test('finds nothing of private repositories of other namespaces without naming them', async () => {
    const about = await fixture(registry, 'private', alice)
    const unknown = plan(registry, 'x').blob
    const [theirs, nobodys] = [
      await mount(`mount=${about.blob.digest}`),
      await mount(`mount=${unknown.digest}`),
    ]
    expect(theirs.status).toBe(202)
    expect(outcome(theirs)).toEqual(outcome(nobodys))
  })

  test('gets an ordinary upload where the source does not have the blob, or does not exist', async () => {
    const about = await fixture(registry, 'private', alice)
    const other = await fixture(registry, 'private', alice)
    const answers = [
      await mount(`mount=${about.blob.digest}&from=never/was`),
      await mount(`mount=${about.blob.digest}&from=${other.name}`),
      await mount(`mount=${about.blob.digest}&from=NOT..A..NAME`),
      await mount(`mount=${plan(registry, 'x').blob.digest}&from=${about.name}`),
    ].map(outcome)
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({ status: 202 })
  })
})
