import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from './errors.ts'
import { parseImageReference } from './image-reference.ts'

const digest = `sha256:${'0f'.repeat(32)}`

/** What the parser says to a text: that it is one (`object`), or the code of its refusal. */
function answer(text: string): string {
  try {
    return typeof parseImageReference(text)
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

describe('parseImageReference', () => {
  test.each([
    ['app', null, 'app', null, null],
    ['app:v1', null, 'app', 'v1', null],
    ['me/app', null, 'me/app', null, null],
    ['me/app:v1', null, 'me/app', 'v1', null],
    [`app@${digest}`, null, 'app', null, digest],
    [`host:5000/a/b:tag@${digest}`, 'host:5000', 'a/b', 'tag', digest],
    ['127.0.0.1:5000/me/app:1', '127.0.0.1:5000', 'me/app', '1', null],
    ['[::1]:5000/app', '[::1]:5000', 'app', null, null],
    ['localhost/app', 'localhost', 'app', null, null],
    ['localhost', null, 'localhost', null, null],
    ['localhost:5000', null, 'localhost', '5000', null],
    ['registry.example/app:v1', 'registry.example', 'app', 'v1', null],
    ['Registry.Example/app', 'registry.example', 'app', null, null],
    ['a.b', null, 'a.b', null, null],
    ['a.b:1', null, 'a.b', '1', null],
  ])('reads %s', (text, registry, repository, tag, wanted) => {
    expect(parseImageReference(text)).toEqual({ registry, repository, tag, digest: wanted })
  })

  test.each([
    ['', 'NAME_INVALID', /empty/],
    ['http://host/app', 'NAME_INVALID', /leave out the scheme/],
    ['host:port/app', 'NAME_INVALID', /host is malformed/],
    ['-a.b/app', 'NAME_INVALID', /host is malformed/],
    ['user:pw@host/app', 'DIGEST_INVALID', /no colon/],
    ['host:5000/', 'NAME_INVALID', /empty/],
    ['/app', 'NAME_INVALID', /empty component/],
    ['me/App', 'NAME_INVALID', /lower-case/],
    ['host.example/ipfs/x', 'NAME_INVALID', /reserved/],
    ['app:', 'TAG_INVALID', /empty/],
    ['app:a:b', 'TAG_INVALID', /only letters/],
    ['app@', 'DIGEST_INVALID', /no colon/],
    [`app@${digest}@${digest}`, 'DIGEST_INVALID', /needs 64/],
    [digest.replace(':', '@'), 'DIGEST_INVALID', /no colon/],
  ])('refuses %j', (text, code, message) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    )
  })

  test('gives back what was put together', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,5}([._-][a-z0-9]{1,5})?$/)
    const registry = fc.constantFrom(
      null,
      'localhost',
      'h.example',
      'h:1',
      '10.0.0.1:5000',
      '[fe80::1]',
      '[::1]:80',
    )
    const any = fc.record({
      registry,
      first: fc.stringMatching(/^[a-hj-z][a-z0-9]{0,5}$/), // neither a host nor the reserved namespace
      rest: fc.array(component, { maxLength: 3 }),
      tag: fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,9}$/)),
      digest: fc.constantFrom(null, digest),
    })
    fc.assert(
      fc.property(any, (image) => {
        fc.pre(image.first !== 'localhost')
        const repository = [image.first, ...image.rest].join('/')
        const text =
          (image.registry === null ? '' : `${image.registry}/`) +
          repository +
          (image.tag === null ? '' : `:${image.tag}`) +
          (image.digest === null ? '' : `@${image.digest}`)
        const { registry: host, tag, digest: named } = image
        expect(parseImageReference(text)).toEqual({ registry: host, repository, tag, digest: named })
      }),
    )
  })

  test('answers any text with a reference or a RegistryError', () => {
    const near = fc.string({ unit: fc.constantFrom('a', '/', ':', '@', '.', '[', ']', '5'), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        expect(answer(text)).toMatch(/^(object|NAME_INVALID|TAG_INVALID|DIGEST_INVALID)$/)
      }),
    )
  })
})
