import { describe, expect, test } from 'vitest'
import { expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { rawTarget } from './raw-request.ts'
import { passwords, usersFile } from './users.ts'

/** One whose password takes long enough to check for others to come meanwhile. */
const carol = 'carol:$2y$08$TuOlFXhCHqVJpK.iMBLTo.N162wKpvGQTes7AKTgFimXjvVx21dfK'
const registry = useRegistry({ users: [...usersFile, carol] })
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const right = `Basic ${base64(`alice:${passwords.alice}`)}`

describe('Credentials that are none, or wrong, are 401 with a challenge:', () => {
  test.each([
    'Basic',
    'Basic !!!',
    'Basic =',
    `Basic ${base64('no colon')}`,
    `Basic ${base64('alice:')}`,
    `Basic ${base64(`:${passwords.alice}`)}`,
    `Basic ${base64('alice:wrong')}`,
    `Basic ${base64(`Alice:${passwords.alice}`)}`,
    `Basic ${base64(`alice :${passwords.alice}`)}`,
    `Basic ${base64(`alice:${passwords.alice} `)}`,
    `Basic ${base64(`alice:${passwords.alice}\0`)}`,
    `Basic ${base64(`alice\0:${passwords.alice}`)}`,
    `Basic ${base64(`alice:${passwords.bob}`)}`,
    `Basic ${base64('__proto__:x')}`,
    `Basic ${base64('constructor:x')}`,
    `Basic ${base64('#:x')}`,
    `Basic ${base64(Buffer.from([0xff, 0xfe, 0x3a, 0xff]))}`,
    `Basic ${base64(`alice:${'x'.repeat(9000)}`)}`,
    `Basic ${base64(`${'x'.repeat(9000)}:x`)}`,
    `${right} x`,
    `${right}, ${right}`,
    `x ${right}`,
    `Bearer ${base64('x')}`,
    'Digest username="alice"',
    'Negotiate x',
    'x',
    `Basic ${base64(usersFile[0] ?? '')}`,
  ])('%s', async (authorization) => {
    for (const path of [
      '/v2/',
      '/v2/_catalog',
      '/v2/never/was/tags/list',
      '/api/v1/repositories',
      '/metrics',
    ]) {
      const response = await rawTarget(registry.origin, 'GET', path, `Authorization: ${authorization}\r\n`)
      expect(response?.status, path).toBe(401)
      expect(response?.header('www-authenticate')).toMatch(/^Basic realm=/)
      if (response !== null && path.startsWith('/v2')) expectRefusal(response, 401, 'UNAUTHORIZED')
    }
  })

  test.each([right, right.replace('Basic', 'basic'), right.replace('Basic ', 'BASIC   ')])(
    'but not %s',
    async (authorization) => {
      const response = await rawTarget(registry.origin, 'GET', '/v2/', `Authorization: ${authorization}\r\n`)
      expect(response?.status).toBe(200)
    },
  )
})

test('a flood of wrong passwords is slowed down, and does not keep out who is logged in', async () => {
  const alice = registry.clientOf('alice', passwords.alice)
  expect((await alice.send({ path: '/v2/' })).status).toBe(200)
  const guesses = Array.from({ length: 500 }, (_, number) => {
    const authorization = `Basic ${base64(`carol:guess ${number}`)}`
    return registry.http.send({ path: '/v2/', headers: { authorization } })
  })
  for (let round = 0; round < 20; round++) expect((await alice.send({ path: '/v2/' })).status).toBe(200)
  const answers = await Promise.all(guesses)
  for (const answer of answers) {
    expect([401, 429]).toContain(answer.status)
    if (answer.status === 429) {
      expectRefusal(answer, 429, 'TOOMANYREQUESTS')
      expect(Number(answer.header('retry-after'))).toBeGreaterThan(0)
    }
  }
  expect(answers.map(({ status }) => status)).toContain(429)
})
