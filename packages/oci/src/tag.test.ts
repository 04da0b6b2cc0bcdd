import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from './errors.ts'
import { parseReference } from './reference.ts'
import { parseTag } from './tag.ts'

const refused = (message: RegExp): object =>
  expect.objectContaining({ code: 'TAG_INVALID', message: expect.stringMatching(message) as string })

/** What a parser says to a text: the value, or the code of its refusal. */
function answer(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

describe('parseTag', () => {
  test.each([
    'latest',
    'v1.2.3',
    '_',
    '0',
    'A',
    'a-',
    'a.',
    'V1_x-y.z',
    `sha256-${'a'.repeat(64)}.sig`,
    'a'.repeat(128),
  ])('takes %s as it is', (text) => {
    expect(parseTag(text)).toBe(text)
  })

  test.each([
    ['', /it is empty/],
    ['a'.repeat(129), /has 129 characters, at most 128/],
    ['.a', /must begin/],
    ['-a', /must begin/],
    ['a/b', /only letters/],
    ['a b', /only letters/],
    ['a+b', /only letters/],
    ['a\n', /only letters/],
    ['é', /only letters/],
  ])('refuses %j', (text, message) => {
    expect(() => parseTag(text)).toThrow(refused(message))
  })

  test('answers any text with a tag or TAG_INVALID', () => {
    const near = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '.', '_', '-', '/', ':'), maxLength: 6 })
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        expect(answer(parseTag, text)).toBe(
          /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(text) ? text : 'TAG_INVALID',
        )
      }),
    )
  })
})

describe('parseReference', () => {
  const digest = `sha256:${'a'.repeat(64)}`

  test('lets the colon decide', () => {
    expect(parseReference('latest')).toEqual({ kind: 'tag', tag: 'latest' })
    expect(parseReference(digest)).toEqual({ kind: 'digest', digest })
    expect(parseReference(digest.replace(':', '-'))).toEqual({ kind: 'tag', tag: digest.replace(':', '-') })
    expect(() => parseReference('a:b')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }))
    expect(() => parseReference('a/b')).toThrow(expect.objectContaining({ code: 'TAG_INVALID' }))
  })

  test('answers any text with a reference or one of the two codes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(digest)), (text) => {
        const parsed = { kind: 'tag', tag: text }
        const otherwise = text === digest ? { kind: 'digest', digest } : 'DIGEST_INVALID'
        const wanted = text.includes(':')
          ? otherwise
          : answer(parseTag, text) === text
            ? parsed
            : 'TAG_INVALID'
        expect(answer(parseReference, text)).toEqual(wanted)
      }),
    )
  })
})
