import { RegistryError } from '@openregistry/oci'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GatewayRequest } from './gateway-request.ts'
import { parseGatewayRequest } from './parse-request.ts'

const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const directory = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354'

function parse(path: string, query = '', accept?: string): GatewayRequest {
  return parseGatewayRequest(path, new URLSearchParams(query), accept)
}

/** The code of the refusal, or null. */
function refusal(path: string, query = '', accept?: string): string | null {
  try {
    parse(path, query, accept)
    return null
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

describe('the CID', () => {
  test.each([
    cid,
    'f01551220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'zb2rhmy65F3REf8SZp7De11gxtECBGgUKaLdiDj7MCGCHxbDW',
    'uAVUSIOOwxEKY_BwUmvv0yJlvuSQnrkHkZJuTTKSVmRt4UrhV',
  ])('is taken in any base: %s', (text) => {
    expect(parse(text, 'format=raw').cid).toBe(cid)
  })

  test('of version 0 stays a node of version 0', () => {
    const { root, cid: shown } = parse('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn', 'format=raw')
    expect({ version: root.version, shown }).toEqual({ version: 0, shown: directory })
  })

  test.each([
    '',
    'latest',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    `${cid}x`,
    // sha2-512, a SHA-256 of 31 bytes, and an identity CID of 129 bytes.
    'bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs',
    `f0155121f${'ab'.repeat(31)}`,
    `f0155008101${'ab'.repeat(129)}`,
  ])('is refused: %s', (text) => {
    expect(refusal(text, 'format=raw')).toBe('CID_INVALID')
  })

  test('may hold up to 128 bytes itself', () => {
    expect(parse(`f0155008001${'ab'.repeat(128)}`, 'format=raw').root.digest.length).toBe(128)
  })
})

describe('the path', () => {
  function segments(path: string): readonly string[] {
    const request = parse(`${directory}/${path}`, 'format=car')
    return request.format === 'car' ? request.segments : []
  }

  test('is decoded once, segment by segment', () => {
    expect(segments('')).toEqual([])
    expect(segments('blobs/sha256/')).toEqual(['blobs', 'sha256'])
    expect(segments('a%20b/%E2%82%AC/%252e%252e/..a')).toEqual(['a b', '€', '%2e%2e', '..a'])
  })

  test.each([
    '..',
    '.',
    '%2e%2e',
    'a/%2E/b',
    'a//b',
    '/a',
    '//',
    'a%2Fb',
    'a%00',
    '%',
    '%zz',
    '%ff',
    'x/'.repeat(300),
  ])('is refused: %s', (path) => {
    expect(refusal(`${directory}/${path}`, 'format=car')).toBe('PARAMETER_INVALID')
  })

  test('never leads up, whatever it holds', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '%2e', '%2E%2e', '/', '%2f', '%5c', '\\', ''),
      fc.string(),
    )
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (path) => {
          const request = (() => {
            try {
              return parse(`${directory}/${path}`, 'format=car')
            } catch (error) {
              expect(error).toBeInstanceOf(RegistryError)
              return null
            }
          })()
          const names = request?.format === 'car' ? request.segments : []
          expect(names.filter((name) => /^\.{0,2}$|\//.test(name))).toEqual([])
        },
      ),
    )
  })

  test('is for CAR files alone', () => {
    expect(refusal(`${directory}/a`, 'format=raw')).toBe('PARAMETER_INVALID')
    expect(refusal(`${directory}/`, 'format=raw')).toBeNull()
  })
})

describe('the format', () => {
  const raw = 'application/vnd.ipld.raw'
  const car = 'application/vnd.ipld.car'

  test.each([
    ['raw', 'format=raw', undefined],
    ['raw', 'format=raw', car],
    ['car', 'format=car', 'text/html'],
    ['raw', '', raw],
    ['raw', '', `text/html, ${raw.toUpperCase()};q=0.1`],
    ['car', '', `${raw};q=0.5, ${car};version=1;order=dfs;dups=y`],
    ['car', '', `${car};q=0.5,${raw};q=0.5`],
  ])('is %s with "?%s" and Accept: %s', (format, query, accept) => {
    expect(parse(cid, query, accept).format).toBe(format)
  })

  test.each([
    ['', undefined],
    ['', '*/*'],
    ['', 'text/html,application/xhtml+xml,*/*;q=0.8'],
    ['', `${raw};q=0`],
    ['', 'application/vnd.ipld.dag-json'],
    ['format=dag-json', raw],
    ['format=tar', undefined],
    ['format=', raw],
    ['format=RAW', undefined],
  ])('is none of ours with "?%s" and Accept: %s', (query, accept) => {
    expect(refusal(cid, query, accept)).toBe('FORMAT_UNSUPPORTED')
  })

  test('that a header chose has an address of its own', () => {
    expect(parse(cid, 'a=1', `${car}; dups=y; order=dfs`).canonicalQuery).toBe(
      'a=1&format=car&car-order=dfs&car-dups=y',
    )
    expect(parse(cid, 'car-dups=n', `${car}; dups=y`).canonicalQuery).toBe('car-dups=n&format=car')
    expect(parse(cid, 'format=car', `${car}; dups=y`).canonicalQuery).toBeNull()
  })
})

describe('the parameters of a CAR', () => {
  function parameters(query: string, accept?: string): unknown {
    const request = parse(directory, `format=car&${query}`, accept)
    return request.format === 'car' ? request.car : null
  }

  test('have defaults', () => {
    expect(parameters('')).toEqual({ scope: 'all', bytes: null, duplicates: false })
  })

  test.each([
    ['dag-scope=block', { scope: 'block' }],
    ['dag-scope=entity&car-order=dfs&car-version=1', { scope: 'entity' }],
    ['car-order=unk', { scope: 'all' }],
    ['car-dups=y', { duplicates: true }],
    ['dag-scope=all&entity-bytes=0:*', { scope: 'entity', bytes: { from: 0, to: null } }],
    ['entity-bytes=5:9', { bytes: { from: 5, to: 9 } }],
    ['entity-bytes=-5:*', { bytes: { from: -5, to: null } }],
    ['entity-bytes=5:-9', { bytes: { from: 5, to: -9 } }],
    ['entity-bytes=-5:9', { bytes: { from: -5, to: 9 } }],
    ['entity-bytes=-9:-5', { bytes: { from: -9, to: -5 } }],
  ])('are read: %s', (query, wanted) => {
    expect(parameters(query)).toMatchObject(wanted)
  })

  test('of the query go before those of the media type', () => {
    const accept = 'application/vnd.ipld.car;dups=y'
    expect(parameters('', accept)).toMatchObject({ duplicates: true })
    expect(parameters('car-dups=n', accept)).toMatchObject({ duplicates: false })
  })

  test.each([
    'dag-scope=',
    'dag-scope=everything',
    'car-version=2',
    'car-order=bfs',
    'car-dups=maybe',
    'entity-bytes=',
    'entity-bytes=1',
    'entity-bytes=9:5',
    'entity-bytes=-5:-9',
    'entity-bytes=*:5',
    'entity-bytes=1:2:3',
    'entity-bytes=0x1:2',
    'entity-bytes=1e3:*',
    'entity-bytes=99999999999999999:*',
  ])('are refused: %s', (query) => {
    expect(refusal(directory, `format=car&${query}`)).toBe('PARAMETER_INVALID')
  })
})
