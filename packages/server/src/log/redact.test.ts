import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redact, redacted, redactText } from './redact.ts'

const canary = 'c4n4ry+0f~Sh3ft3sbury'

/** Everything that a canary was put into, as it would be written. */
function written(fields: object): string {
  return JSON.stringify(redact(fields))
}

describe('nothing that is named like a secret is written', () => {
  test.each([
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'password',
    'passwd',
    'OPEN_REGISTRY_PASSWORD',
    'passphrase',
    'client_secret',
    'access_token',
    'refreshToken',
    'credentials',
    'apiKey',
    'api-key',
    'private_key',
    'sessionId',
    'jwt',
  ])('%s', (name) => {
    expect(written({ [name]: canary })).not.toContain(canary)
    expect(written({ a: [{ b: { [name]: canary } }] })).not.toContain(canary)
    expect(written({ [name]: { nested: canary } })).not.toContain(canary)
    expect(written({ rawHeaders: ['Host', 'a.example', name, canary, 'Accept', '*/*'] })).not.toContain(
      canary,
    )
    expect(written({ headers: new Headers({ [name]: canary }) })).not.toContain(canary)
    expect(written({ map: new Map([[name, canary]]) })).not.toContain(canary)
    expect(written({ error: Object.assign(new Error('x'), { [name]: canary }) })).not.toContain(canary)
  })

  test('what is not a secret stays', () => {
    const fields = {
      event: 'blob_upload',
      key: '0123/4567',
      digest: 'sha256:00',
      rawHeaders: ['Host', 'a.example', 'Accept', '*/*'],
      password: null,
      tokens: undefined,
      list: [1, true, null],
    }
    expect(redact(fields)).toEqual(fields)
  })
})

describe('nothing that looks like a secret is written', () => {
  test.each([
    `Basic ${canary}`,
    `bearer ${canary}`,
    `header was "Bearer ${canary}", refused`,
    `http://alice:${canary}@registry.example/v2/`,
    `postgres://u:${canary}@db/x`,
    `https://a.example/?access_token=${canary}&x=1`,
    `/token?password=${canary}`,
  ])('%s', (text) => {
    const cause = new Error(text)
    for (const fields of [{ text }, { error: new Error(text) }, { error: new Error('x', { cause }) }]) {
      expect(written(fields)).not.toContain(canary)
    }
    expect(
      written({ error: new AggregateError([cause]), url: URL.canParse(text) ? new URL(text) : text }),
    ).not.toContain(canary)
  })

  test.each([
    'basic authentication',
    'the bearer token was refused',
    'http://a.example:5000/v2/me/app@sha256:00',
    'a:b@c',
  ])('%s is harmless', (text) => {
    expect(redactText(text)).toBe(text)
  })
})

test('any value can be written, whatever its shape', () => {
  const circular: Record<string, unknown> = {
    n: 1n,
    f: () => {},
    s: Symbol('x'),
    d: new Date(NaN),
    b: new Uint8Array(3),
  }
  circular['self'] = circular
  expect(written(circular)).toContain('[3 bytes]')
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string(),
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
        }),
      ),
      (fields) => {
        expect(typeof written(fields)).toBe('string')
      },
    ),
  )
})

test('a field called __proto__ is a field', () => {
  const fields = JSON.parse('{"__proto__": {"password": "x"}, "a": 1}') as object
  expect(JSON.stringify(redact(fields))).toBe(`{"__proto__":{"password":"${redacted}"},"a":1}`)
})
