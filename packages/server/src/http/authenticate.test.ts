import { describe, expect, test } from 'vitest'
import { basicAuthentication, openMode } from './authenticate.ts'

const asked: [string, string][] = []
const basic = basicAuthentication({
  verify(user, password) {
    asked.push([user, password])
    return Promise.resolve(user === 'ada' && password === 'love:lace')
  },
})

function header(text: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}

describe('basic authentication', () => {
  test('knows a user by name and password; the password may hold colons', async () => {
    expect(await basic.authenticate(header('ada:love:lace'))).toEqual({ kind: 'user', name: 'ada' })
  })

  test('without credentials, and with the empty ones of Podman, the client is anonymous', async () => {
    expect(await basic.authenticate({})).toEqual({ kind: 'anonymous' })
    expect(await basic.authenticate({ authorization: 'Basic Og==' })).toEqual({ kind: 'anonymous' })
  })

  test.each(['ada:wrong', 'bob:love:lace', ':love:lace', 'ada:'])('refuses %s', async (text) => {
    await expect(Promise.resolve().then(() => basic.authenticate(header(text)))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    })
  })

  test.each(['Bearer abc', 'Basic', 'Basic !!!', `Basic ${Buffer.from('no colon').toString('base64')}`])(
    'refuses the header "%s"',
    async (authorization) => {
      await expect(Promise.resolve().then(() => basic.authenticate({ authorization }))).rejects.toMatchObject(
        {
          code: 'UNAUTHORIZED',
        },
      )
    },
  )
})

test('open mode asks nobody', async () => {
  expect(await openMode.authenticate(header('any:thing'))).toEqual({ kind: 'operator' })
  expect(openMode.challenge).toBeNull()
})
