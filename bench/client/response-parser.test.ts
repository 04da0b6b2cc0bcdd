import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerOf, ResponseParser, type WireResponse } from './response-parser.ts'

/** Feeds the text cut at the given places. */
function parse(text: string, cuts: readonly number[] = [], isHead = false): WireResponse | null {
  const parser = new ResponseParser()
  parser.expect(isHead)
  const bytes = Buffer.from(text, 'latin1')
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
  let response: WireResponse | null = null
  for (let index = 1; index < places.length; index++) {
    const part = bytes.subarray(places[index - 1], places[index])
    if (part.length > 0) response = parser.push(part)
  }
  return response
}

const cuts = fc.array(fc.nat(500), { maxLength: 6 })
const sized = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nLocation: /v2/x\r\n\r\nhello'
const chunked = 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'

describe('ResponseParser', () => {
  test('ends a sized body wherever it is cut', () => {
    fc.assert(
      fc.property(cuts, (places) => {
        expect(parse(sized, places)).toMatchObject({ status: 200, bodyBytes: 5 })
      }),
    )
  })

  test('ends a chunked body wherever it is cut, and keeps the beginning of an error', () => {
    fc.assert(
      fc.property(cuts, (places) => {
        const response = parse(chunked, places)
        expect(response?.status).toBe(404)
        expect(response?.bodyStart).toContain('hello')
      }),
    )
  })

  test('has no body after HEAD, and skips 100 Continue', () => {
    expect(parse('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', [], true)).toMatchObject({ bodyBytes: 0 })
    expect(parse(`HTTP/1.1 100 Continue\r\n\r\n${sized}`)).toMatchObject({ status: 200, bodyBytes: 5 })
  })

  test('waits for the rest', () => {
    expect(parse(sized.slice(0, -1))).toBeNull()
    expect(parse(chunked.slice(0, -1))).toBeNull()
  })

  test('refuses more than was announced, and a body without any length', () => {
    expect(() => parse(`${sized}!`)).toThrow('longer')
    expect(() => parse('HTTP/1.1 200 OK\r\n\r\n')).toThrow('without a length')
  })
})

test('headerOf finds a header in any case, and only a whole name', () => {
  expect(headerOf('HTTP/1.1 200 OK\r\nX-Location: no\r\nlocation:  /a \r\nB: c', 'Location')).toBe('/a')
  expect(headerOf('HTTP/1.1 200 OK', 'Location')).toBeNull()
})
