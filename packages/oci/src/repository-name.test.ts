import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from './errors.ts'
import { namespaceOf, parseRepositoryName } from './repository-name.ts'

const refused = (message: RegExp): object =>
  expect.objectContaining({ code: 'NAME_INVALID', message: expect.stringMatching(message) as string })

/** What the parser says to a text: the value, or the code of its refusal. */
function answer(text: string): string {
  try {
    return parseRepositoryName(text)
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

describe('parseRepositoryName', () => {
  test.each([
    'a',
    'app',
    '0',
    'me/app',
    'a/b/c/d/e/f/g/h',
    'a.b/c_d/e__f/g-h/i---------j',
    'blobs/uploads',
    'manifests',
    'tags/list',
    'me/ipfs',
    'ipfs2/app',
    `a/${'b'.repeat(253)}`,
    Array.from({ length: 128 }, () => 'a').join('/'),
  ])('takes %s', (text) => {
    expect(parseRepositoryName(text)).toBe(text)
  })

  test.each([
    ['', /it is empty/],
    ['a'.repeat(256), /has 256 characters, at most 255/],
    ['/a', /empty component/],
    ['a/', /empty component/],
    ['a//b', /empty component/],
    ['App', /lower-case/],
    ['a/B', /lower-case/],
    ['.a', /begin and end with a letter or digit/],
    ['..', /begin and end with a letter or digit/],
    ['a/../b', /begin and end with a letter or digit/],
    ['a.', /begin and end with a letter or digit/],
    ['a..b', /one \. or _/],
    ['a___b', /one \. or _/],
    ['a._b', /one \. or _/],
    ['a-.b', /one \. or _/],
    ['_catalog', /begin and end/],
    ['a b', /only a-z/],
    ['a%2fb', /only a-z/],
    ['a\\b', /only a-z/],
    ['a:b', /only a-z/],
    ['a\n', /only a-z/],
    ['a\0', /only a-z/],
    ['é', /only a-z/],
    ['ａ', /only a-z/],
    ['ipfs', /first component ipfs is reserved/],
    ['ipfs/bafkqaaa', /first component ipfs is reserved/],
  ])('refuses %j', (text, message) => {
    expect(() => parseRepositoryName(text)).toThrow(refused(message))
  })

  test('agrees with the grammar of the specification', () => {
    const grammar = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
    const near = fc.string({ unit: fc.constantFrom('a', 'z', '0', '.', '_', '-', '/', 'A'), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.stringMatching(grammar)), (text) => {
        const good = grammar.test(text) && text.length <= 255 && !/^ipfs(\/|$)/.test(text)
        expect(answer(text)).toBe(good ? text : 'NAME_INVALID')
      }),
      { numRuns: 1000 },
    )
  })
})

test('namespaceOf is the first component', () => {
  expect(namespaceOf('app')).toBe('app')
  expect(namespaceOf('me/app')).toBe('me')
  expect(namespaceOf('me/app/x')).toBe('me')
})
