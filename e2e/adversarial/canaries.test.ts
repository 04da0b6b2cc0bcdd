import { setTimeout as delay } from 'node:timers/promises'
import { HttpClient, randomImage, type HttpResponse } from '@openregistry/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyIndex } from '../access/fixture.ts'
import { probes } from '../access/requests.ts'
import { Repository } from '../conformance/repository.ts'
import { useChildRegistry } from './child-registry.ts'
import { useRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'
import { passwords, usersFile } from './users.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Secrets of clients. None is right but the first, and none may be repeated anywhere. */
const clientSecrets = {
  right: passwords.alice,
  wrong: 'canary-wrong-password-1f0c',
  bearer: 'canary-bearer-eyJhbGciOi.J9',
  cookie: 'canary-cookie-77aa',
  url: 'canary-url-password-9b2d',
  token: 'canary-query-token-31ce',
}

/** Everything that no log and no answer may hold: the secrets, what they look like on their way, and the hashes. */
const canaries = [
  ...Object.values(clientSecrets),
  ...Object.values(clientSecrets).map(encodeURIComponent),
  base64(`alice:${clientSecrets.right}`),
  base64(`alice:${clientSecrets.wrong}`),
  passwords.bob,
  ...usersFile.map((line) => line.slice(line.indexOf(':') + 1)),
]

/** Headers in which clients send secrets. */
const secretHeaders: Record<string, string>[] = [
  { authorization: `Basic ${base64(`alice:${clientSecrets.right}`)}` },
  { authorization: `Basic ${base64(`alice:${clientSecrets.wrong}`)}` },
  { authorization: `Basic ${base64(`nobody:${clientSecrets.wrong}`)}` },
  { authorization: `Bearer ${clientSecrets.bearer}` },
  { authorization: clientSecrets.bearer },
  { cookie: `session=${clientSecrets.cookie}`, 'x-api-key': clientSecrets.token },
]

/** What a text has that it must not have. */
function found(text: string): string[] {
  return canaries.filter((canary) => text.includes(canary))
}

function textOf({ headers, body }: HttpResponse): string {
  return `${[...headers].map(([name, values]) => `${name}: ${values.join()}`).join('\n')}\n${body.toString('latin1')}`
}

/** Sends every kind of request with every kind of secret; returns all answers in one text. */
async function sendSecrets(origin: URL): Promise<string> {
  const answers: string[] = []
  const about = {
    ...{
      name: 'canary/app',
      upload: '0'.repeat(32),
      manifest: emptyIndex,
      referrer: emptyIndex,
      blob: emptyIndex,
    },
    source: { name: 'canary/source', blob: emptyIndex },
  }
  for (const headers of secretHeaders) {
    using http = new HttpClient(origin, { headers })
    for (const { request, how } of probes) {
      if (how !== 'too large') answers.push(textOf(await http.send(request(about))))
    }
    const query = `?token=${clientSecrets.token}&password=${clientSecrets.token}`
    for (const path of ['/v2/', '/v2/_catalog', '/v2/x', '/healthz', '/api/v1/x']) {
      answers.push(textOf(await http.send({ path: `${path}${query}` })))
    }
  }
  // Addresses with a password in them, in a target, in Host and in Origin.
  const userinfo = `alice:${clientSecrets.url}@${origin.host}`
  for (const text of [
    `GET http://${userinfo}/v2/ HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`,
    `GET http://${userinfo}/x HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`,
    `GET /v2/ HTTP/1.1\r\nHost: ${userinfo}\r\n\r\n`,
    `GET /x HTTP/1.1\r\nHost: ${userinfo}\r\n\r\n`,
    `BROKEN /v2/ HTTP/1.1\r\nHost: ${origin.host}\r\nAuthorization: Bearer ${clientSecrets.bearer}\r\n\r\n`,
    `GET /v2/ HTTP/1.1\r\nAuthorization: Bearer ${clientSecrets.bearer}\r\nX : y\r\n\r\n`,
  ]) {
    const response = await rawRequest(origin, text)
    if (response !== null) answers.push(textOf(response))
  }
  return answers.join('\n')
}

const chatty = { OPEN_REGISTRY_LOG_LEVEL: 'debug', OPEN_REGISTRY_LOG_READS: 'true' }

describe.each([
  ['users', usersFile],
  ['open mode', null],
])('No secret is in a log or an answer: %s', (_, users) => {
  const registry = useChildRegistry(chatty, users)
  let answers = ''

  beforeAll(async () => {
    using alice = new HttpClient(registry.origin, { headers: secretHeaders[0] ?? {} })
    await new Repository(alice, 'canary/app').pushImage(randomImage(registry.random), 'v1')
    answers = await sendSecrets(registry.origin)
  })

  test('the answers', () => {
    expect(answers).toContain('canary/app')
    expect(found(answers)).toEqual([])
  })

  test('the log, at its most talkative', async () => {
    while (!registry.log().includes('manifest_pull')) await delay(20)
    expect(registry.log()).toContain('canary/app')
    expect(found(registry.log())).toEqual([])
  })

  // Whatever is written while the registry stops belongs to it, too.
  afterAll(() => expect(found(registry.log())).toEqual([]))
})

describe('No secret is even handed to the log', () => {
  const registry = useRegistry({ settings: chatty, users: usersFile })

  test('by any request', async () => {
    const answers = await sendSecrets(registry.origin)
    expect(found(answers)).toEqual([])
    const entries = registry.log.entries.map(({ level, event, fields }) => {
      const { error } = fields
      return JSON.stringify([level, event, fields, error instanceof Error ? error.stack : null])
    })
    expect(entries.length).toBeGreaterThan(0)
    expect(found(entries.join('\n'))).toEqual([])
  })

  test('by a users file that is damaged', async () => {
    const secrets = ['canary-plain-password', '$apr1$canary$hash', '$2y$04$canary']
    await registry.writeUsers([...usersFile, ...secrets.map((secret, index) => `user${index}:${secret}`)])
    const alice = registry.clientOf('alice', passwords.alice)
    // The file is looked at with a request, at most once a second.
    let faults = registry.log.takeFaults()
    while (faults.length === 0) {
      expect((await alice.send({ path: '/v2/' })).status, 'the last good version stays in force').toBe(200)
      await delay(50)
      faults = registry.log.takeFaults()
    }
    const [fault] = faults
    expect(fault?.event).toBe('users_file_invalid')
    const text = JSON.stringify(fault?.fields) + String((fault?.fields.error as Error | undefined)?.stack)
    expect(text).toContain('users:3: user0')
    for (const secret of secrets) expect(text).not.toContain(secret)
  })
})
