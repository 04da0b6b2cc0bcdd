import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { hasBody, requestBody } from './body.ts'
import { beginExchange, reply } from './exchange.ts'
import { Http2Request, http2ResponseWithStallLimit, isComplete, onceSent } from './http2.ts'
import { sendStream } from './send-stream.ts'
import { readSmallBody } from './small-body.ts'

/*
 * HTTP/2 without TLS, which a server of ours never speaks: what is tested is what handlers see.
 */
type Handler = (request: IncomingMessage, response: ServerResponse) => void

let server: Http2Server
let session: ClientHttp2Session
const stop = (): void => {
  session.destroy()
  server.close()
}
afterEach(stop)

async function serve(handler: Handler): Promise<void> {
  const classes = { Http2ServerRequest: Http2Request, Http2ServerResponse: http2ResponseWithStallLimit(200) }
  server = createServer(classes, handler as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** What a client gets, and the code with which its stream ended. */
async function get(path = '/'): Promise<{ status: number; body: string; code: number }> {
  const stream = session.request({ ':path': path })
  const [chunks, answer] = [[] as Buffer[], { status: 0 }]
  stream.on('response', (headers) => (answer.status = Number(headers[':status'])))
  stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
  await new Promise<void>((resolve) => void stream.once('close', resolve))
  return { ...answer, body: Buffer.concat(chunks).toString(), code: stream.rstCode }
}

const limits = { window: 10_000, minimumRate: 0 }

/** Reads a small body and says how it ended. */
async function readSmall(request: IncomingMessage): Promise<{ bytes: number; interrupted: boolean }> {
  const body = readSmallBody(request, { size: 10_000, time: 10_000 })
  return body.then(
    ({ length }) => ({ bytes: length, interrupted: false }),
    () => ({ bytes: 1000, interrupted: true }),
  )
}

/** Reads a body and says how it ended. */
async function read(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ bytes: number; interrupted: boolean }> {
  const body = requestBody(beginExchange(request, response), limits, () => undefined)
  let bytes = 0
  for await (const chunk of body.chunks) bytes += chunk.length
  return { bytes, interrupted: body.interrupted() }
}

describe('a body', () => {
  test.each<[string, (stream: ClientHttp2Stream) => void, boolean]>([
    ['that ends is whole', (stream) => stream.end(), false],
    ['that is reset is interrupted', (stream) => stream.close(constants.NGHTTP2_CANCEL), true],
    [
      'that is reset without an error is interrupted',
      (stream) => stream.close(constants.NGHTTP2_NO_ERROR),
      true,
    ],
    ['whose connection breaks is interrupted', () => session.destroy(), true],
  ])('%s, a small one too', async (_what, end, interrupted) => {
    for (const way of [read, readSmall]) {
      const outcome = Promise.withResolvers<{ bytes: number; interrupted: boolean }>()
      const begun = Promise.withResolvers<void>()
      await serve((request, response) => {
        request.once(way === read ? 'readable' : 'data', begun.resolve)
        way(request, response).then(outcome.resolve, outcome.reject)
      })
      // Without trailers to wait for, Node ends a body before it resets the stream: no client that dies does that.
      const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true })
      stream.on('error', () => undefined).on('wantTrailers', () => stream.sendTrailers({}))
      stream.write(Buffer.alloc(1000))
      await begun.promise
      end(stream)
      expect(await outcome.promise).toEqual({ bytes: 1000, interrupted })
      stop()
    }
  })

  test('is known to be there, or not, without a length', async () => {
    const seen: [boolean, boolean][] = []
    await serve((request, response) => {
      seen.push([hasBody(request), isComplete(request)])
      response.end()
    })
    await get()
    const posting = session.request({ ':method': 'POST', ':path': '/' })
    await once(posting, 'response')
    posting.end()
    const empty = session.request(
      { ':method': 'POST', ':path': '/', 'content-length': '0' },
      { endStream: true },
    )
    await once(empty, 'response')
    expect(seen).toEqual([
      [false, true],
      [true, false],
      [false, true],
    ])
  })
})

describe('an answer', () => {
  test('that is cut off ends with an error, a request that is dropped after its answer without one', async () => {
    await serve((request, response) => {
      response.writeHead(200)
      if (request.url === '/cut') response.write('a part', () => response.destroy())
      else response.end('whole', () => request.destroy())
    })
    expect(await get('/cut')).toEqual({ status: 200, body: 'a part', code: constants.NGHTTP2_INTERNAL_ERROR })
    expect(await get('/whole')).toEqual({ status: 200, body: 'whole', code: constants.NGHTTP2_NO_ERROR })
  })

  test('of a stream that fails is cut off', async () => {
    await serve((_request, response) => {
      response.writeHead(200)
      const chunks = (async function* () {
        yield Buffer.from('a part')
        throw new Error('The backend is away.')
      })()
      sendStream(response, { chunks, length: null, stall: 1000 }).catch(() => undefined)
    })
    expect(await get()).toMatchObject({ body: 'a part', code: constants.NGHTTP2_INTERNAL_ERROR })
  })

  test('has no header of connections', async () => {
    const warnings: string[] = []
    const onWarning = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', onWarning)
    await serve((request, response) =>
      reply(beginExchange(request, response), 200, { Connection: 'close' }, 'text'),
    )
    expect(await get()).toMatchObject({ status: 200, body: 'text', code: 0 })
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  test('that nobody takes is given up', async () => {
    await serve((_request, response) => void response.end(Buffer.alloc(500_000)))
    const stream = session.request({ ':path': '/' })
    stream.once('response', () => stream.pause()).on('error', () => undefined)
    await new Promise<void>((resolve) => void stream.once('close', resolve))
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  })

  test('that nobody takes is given up, although its request was dropped', async () => {
    await serve((request, response) => {
      response.end(Buffer.alloc(500_000))
      request.destroy()
    })
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true })
    stream.once('response', () => stream.pause()).on('error', () => undefined)
    stream.write('more will come')
    await new Promise<void>((resolve) => void stream.once('close', resolve))
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  })

  test('is known to be handed over while the client still sends', async () => {
    const sent = Promise.withResolvers<void>()
    await serve((_request, response) => {
      onceSent(response, sent.resolve)
      response.end('text')
    })
    const stream = session.request({ ':method': 'POST', ':path': '/' })
    stream.on('error', () => undefined)
    stream.write('more will come')
    await sent.promise
  })
})
