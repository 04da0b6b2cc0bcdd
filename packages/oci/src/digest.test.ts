import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RegistryError } from './errors.ts'
import { digestAlgorithm, digestBytes, digestHex, formatDigest, isDigest, parseDigest } from './digest.ts'

const hex64 = '0123456789abcdef'.repeat(4)
const refused = (message: RegExp): object =>
  expect.objectContaining({ code: 'DIGEST_INVALID', message: expect.stringMatching(message) as string })

/** What the parser says to a text: the value, or the code of its refusal. */
function answer(text: string): string {
  try {
    return parseDigest(text)
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

describe('parseDigest', () => {
  test('takes sha256 and sha512', () => {
    expect(parseDigest(`sha256:${hex64}`)).toBe(`sha256:${hex64}`)
    expect(parseDigest(`sha512:${hex64}${hex64}`)).toBe(`sha512:${hex64}${hex64}`)
  })

  test.each([
    ['', /no colon/],
    [hex64, /no colon/],
    ['latest', /no colon/],
    [':' + hex64, /algorithm is malformed/],
    ['sha256+:' + hex64, /algorithm is malformed/],
    [`${'a'.repeat(1000)}:00`, /algorithm is malformed/],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', /md5 is not supported; use sha256 or sha512/],
    ['sha256+b64:abc', /sha256\+b64 is not supported/],
    ['blake3:' + hex64, /blake3 is not supported/],
    ['sha256:', /needs 64 hex digits .* found 0/],
    ['sha256:baddigeststring', /needs 64 hex digits .* found 15/],
    [`sha256:${hex64}0`, /needs 64 hex digits .* found 65/],
    [`sha512:${hex64}`, /needs 128 hex digits .* found 64/],
    [`sha256:${hex64.slice(1)}g`, /needs hex digits/],
    [`sha256:${hex64.slice(1)}\n`, /needs hex digits/],
    [`sha256:${hex64}\n`, /found 65/],
    [`sha256:${hex64.toUpperCase()}`, /must be lower-case/],
    [`SHA256:${hex64}`, /must be lower-case/],
    [`sha256:${hex64.slice(3)}:00`, /needs hex digits/],
  ])('refuses %j', (text, message) => {
    expect(() => parseDigest(text)).toThrow(refused(message))
    expect(isDigest(text)).toBe(false)
  })

  test('answers any text with a digest or DIGEST_INVALID', () => {
    const near = fc.stringMatching(/^(sha256|sha512|SHA256|md5)?:?[0-9a-fA-F]{0,130}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const good = /^sha256:[0-9a-f]{64}$/.test(text) || /^sha512:[0-9a-f]{128}$/.test(text)
        expect(isDigest(text)).toBe(good)
        expect(answer(text)).toBe(good ? text : 'DIGEST_INVALID')
      }),
    )
  })
})

describe('formatDigest and its parts', () => {
  test('are the inverse of each other', () => {
    const sizes = { sha256: 32, sha512: 64 } as const
    const any = fc
      .constantFrom('sha256', 'sha512')
      .chain((algorithm) =>
        fc.tuple(
          fc.constant(algorithm),
          fc.uint8Array({ minLength: sizes[algorithm], maxLength: sizes[algorithm] }),
        ),
      )
    fc.assert(
      fc.property(any, ([algorithm, bytes]) => {
        const digest = formatDigest(algorithm, bytes)
        expect(parseDigest(digest)).toBe(digest)
        expect(digestAlgorithm(digest)).toBe(algorithm)
        expect(`${algorithm}:${digestHex(digest)}`).toBe(digest)
        expect(digestBytes(digest)).toEqual(bytes)
      }),
    )
  })

  test('bytes of another length are a fault of the program', () => {
    expect(() => formatDigest('sha256', new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    )
    expect(() => formatDigest('sha512', new Uint8Array(32))).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    )
  })
})
