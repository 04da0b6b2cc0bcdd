import { RawConnection } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { expectRefusal } from '../conformance/expectations.ts'
import { useRegistry } from './local-registry.ts'
import { rawRequest } from './raw-request.ts'

const registry = useRegistry()

/** `HOST` stands for the last header, which this server takes, and the end of the headers. */
const malformed: Readonly<Record<string, string>> = {
  'no HTTP at all': 'hello\r\n\r\n',
  'the hello of TLS': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  SSH: 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'an unknown method': 'FOO /v2/ HTTP/1.1\r\nHOST\r\n',
  'a method in lower case': 'get /v2/ HTTP/1.1\r\nHOST\r\n',
  'an unknown version': 'GET /v2/ HTTP/3.7\r\nHOST\r\n',
  'another protocol': 'GET /v2/ ICE/1.0\r\nHOST\r\n',
  'no target': 'GET  HTTP/1.1\r\nHOST\r\n',
  'a target without a slash': 'GET v2/ HTTP/1.1\r\nHOST\r\n',
  'a target with a space': 'GET /v2/ x HTTP/1.1\r\nHOST\r\n',
  'a target with NUL': 'GET /v2/\0 HTTP/1.1\r\nHOST\r\n',
  'a target that is not ASCII': 'GET /v2/\xc3\xa4/tags/list HTTP/1.1\r\nHOST\r\n',
  'an asterisk': 'OPTIONS * HTTP/1.1\r\nHOST\r\n',
  CONNECT: 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHOST\r\n',
  'no Host': 'GET /v2/ HTTP/1.1\r\n\r\n',
  'two Hosts': 'GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nHOST\r\n',
  'a header without a colon': 'GET /v2/ HTTP/1.1\r\nX\r\nHOST\r\n',
  'a space before the colon': 'GET /v2/ HTTP/1.1\r\nX : y\r\nHOST\r\n',
  'a folded header': 'GET /v2/ HTTP/1.1\r\nX: a\r\n b\r\nHOST\r\n',
  'NUL in a header': 'GET /v2/ HTTP/1.1\r\nX: a\0b\r\nHOST\r\n',
  'a lone CR in a header': 'GET /v2/ HTTP/1.1\r\nX: a\rb\r\nHOST\r\n',
  'lines that end in LF': 'GET /v2/ HTTP/1.1\nHost: 127.0.0.1\n\n',
  'two lengths':
    'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\nHOST\r\nhello',
  'a negative length': 'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: -5\r\nHOST\r\nhello',
  'a length in hex': 'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: 0x5\r\nHOST\r\nhello',
  'a length with a sign': 'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: +5\r\nHOST\r\nhello',
  'a length beyond 64 bits': `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: ${'9'.repeat(30)}\r\nHOST\r\nhello`,
  'a length and chunks':
    'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHOST\r\n0\r\n\r\n',
  'an encoding that is not chunked last':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: gzip\r\nHOST\r\nhello',
  'an encoding that looks like chunked':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nHOST\r\nhello',
  'chunked twice':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\nHOST\r\n0\r\n\r\n',
  'a chunk of no size': 'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\nZZ\r\nhello',
  'a chunk of negative size':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\n-1\r\nhello',
  'a chunk of a size beyond 64 bits':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\nfffffffffffffffff\r\nhello',
  'a chunk longer than it said':
    'PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\n1\r\nhello\r\n0\r\n\r\n',
  'extensions of chunks without end': `PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\n1;${'x'.repeat(40_000)}`,
  'trailers without end': `PUT /v2/a/manifests/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHOST\r\n0\r\n${'X: y\r\n'.repeat(10_000)}`,
}

function send(text: string): ReturnType<typeof rawRequest> {
  const host = `Host: ${registry.origin.host}\r\n\r\n`
  return rawRequest(registry.origin, text.replace('HOST\r\n', host))
}

describe('What is no HTTP is refused in the words of the specification, and changes nothing:', () => {
  test.each(Object.entries(malformed))('%s', async (_, text) => {
    const before = [registry.stored.content(), registry.stored.openUploads()]
    const response = await send(text)
    expect([400, 413, 431], response?.text()).toContain(response?.status)
    if (response !== null) expectRefusal(response, response.status)
    expect([registry.stored.content(), registry.stored.openUploads()]).toEqual(before)
    expect((await registry.http.send({ path: '/v2/' })).status, 'others are served').toBe(200)
  })
})

describe('What is HTTP, but odd, is taken:', () => {
  test.each([
    ['an absolute target', `GET http://HERE/v2/ HTTP/1.1\r\nHOST\r\n`],
    ['an absolute target with a query', `GET http://HERE/v2/?x=y HTTP/1.1\r\nHOST\r\n`],
    ['HTTP/1.0', `GET /v2/ HTTP/1.0\r\nHOST\r\n`],
    ['an expectation that nobody knows', `GET /v2/ HTTP/1.1\r\nExpect: magic\r\nHOST\r\n`],
    ['a wish for another protocol', `GET /v2/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHOST\r\n`],
    ['empty lines before it', `\r\n\r\nGET /v2/ HTTP/1.1\r\nHOST\r\n`],
    ['a body where none is wanted', `GET /v2/ HTTP/1.1\r\nContent-Length: 5\r\nHOST\r\nhello`],
  ])('%s', async (_, text) => {
    const response = await send(text.replaceAll('HERE', registry.origin.host))
    expect(response?.status, response?.text()).toBe(200)
    expect(response?.text()).toBe('{}')
  })

  test('a client that has sent everything and says so is answered', async () => {
    using connection = await RawConnection.open(registry.origin)
    connection.write(`GET /v2/ HTTP/1.1\r\nHost: ${registry.origin.host}\r\n\r\n`)
    connection.end()
    expect((await connection.response())?.status).toBe(200)
  })
})

test('a client that closes within its headers is no fault', async () => {
  for (const text of [
    'G',
    'GET /v2/ HTTP/1.1',
    'GET /v2/ HTTP/1.1\r\nHost: x',
    'GET /v2/ HTTP/1.1\r\nHost: x\r\n',
  ]) {
    using connection = await RawConnection.open(registry.origin)
    connection.write(text)
    connection.end()
    await connection.ended()
  }
  expect((await registry.http.send({ path: '/v2/' })).status).toBe(200)
})
