import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextLink } from './next-link.ts'

test.each([
  ['</v2/_catalog?n=2&last=b>; rel="next"', '/v2/_catalog?n=2&last=b'],
  ['</a>;rel=next', '/a'],
  ['</a>; title="x"; rel="next"; type="y"', '/a'],
  ['</first>; rel="prev", </second>; rel="next"', '/second'],
  ['<https://other.example/v2/?last=a,b>; REL="Next"', 'https://other.example/v2/?last=a,b'],
])('finds the target of %s', (header, target) => {
  expect(nextLink(header)).toBe(target)
})

test.each([
  null,
  '',
  '</a>',
  '</a>; rel="prev"',
  '/a; rel="next"',
  '</a>; rel="nextish"',
  '</a>; xrel="next"',
])('finds nothing in %s', (header) => {
  expect(nextLink(header)).toBeNull()
})

test('any target comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const url = `/v2/_catalog?last=${encodeURIComponent(text)}`
      expect(nextLink(`<${url}>; rel="next"`)).toBe(url)
    }),
  )
})

test('never fails, whatever the header', () => {
  fc.assert(fc.property(fc.string(), (header) => void nextLink(header)))
})
