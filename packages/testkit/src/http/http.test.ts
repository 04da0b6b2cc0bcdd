import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { HttpClient } from './http-client.ts'
import { RawConnection } from './raw-connection.ts'

/** A server for one test, and its origin. */
async function serve(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Tells what arrived. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  response.setHeader('X-Twice', ['a', 'b'])
  response.end(
    JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }),
  )
}

const echoing = () => serve((request, response) => void echo(request, response))

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('one ')
  await setImmediate()
  yield Buffer.from('two')
}

test('a request arrives as it was said', async () => {
  using client = new HttpClient(await echoing(), { headers: { 'x-every': '1' } })
  const response = await client.send({ method: 'PUT', path: '/a/../b?x=%2F', body: 'body' })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-twice')).toEqual(['a', 'b'])
  expect(response.header('X-Twice')).toBe('a, b')
  expect(response.json()).toMatchObject({
    method: 'PUT',
    url: '/a/../b?x=%2F',
    headers: { 'x-every': '1', 'content-length': '4' },
    body: 'body',
  })
})

test('bodies are chunked when they are asked to be, or have no length', async () => {
  using client = new HttpClient(await echoing())
  const chunked = { headers: { 'transfer-encoding': 'chunked' } }
  const bytes = await client.send({ method: 'PATCH', path: '/', body: 'one two', framing: 'chunked' })
  expect(bytes.json()).toMatchObject({ ...chunked, body: 'one two' })
  const stream = await client.send({ method: 'PATCH', path: '/', body: pieces() })
  expect(stream.json()).toMatchObject({ ...chunked, body: 'one two' })
})

test('a broken request never gets an answer, and the server sees it break', async () => {
  const aborted = Promise.withResolvers<void>()
  const origin = await serve((request) => request.on('error', () => aborted.resolve()).resume())
  using client = new HttpClient(origin)
  const open = client.begin({ method: 'PUT', path: '/', headers: { 'content-length': '10' } })
  await open.write(Buffer.from('half'))
  open.abort()
  await aborted.promise
  await expect(open.response).rejects.toThrow('broke the connection')
})

test('an answer that is cut off is an error', async () => {
  const origin = await serve((_, response) => {
    response.setHeader('content-length', 10)
    response.write('half', () => response.destroy())
  })
  using client = new HttpClient(origin)
  await expect(client.send({ path: '/' })).rejects.toThrow()
})

test('raw bytes arrive as they are, and several answers come in order', async () => {
  using raw = await RawConnection.open(await echoing())
  raw.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: x\r\n\r\n')
  expect((await raw.response())?.json()).toMatchObject({ url: '/1' })
  const head = await raw.response({ toHead: true })
  expect(head?.status).toBe(200)
  raw.write('GARBAGE\r\n\r\n')
  expect((await raw.response())?.status).toBe(400)
  await raw.ended()
})

test('a chunked answer is put together', async () => {
  const origin = await serve((_, response) => {
    response.write('one ')
    response.end('two')
  })
  using raw = await RawConnection.open(origin)
  raw.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const response = await raw.response()
  expect(response?.header('transfer-encoding')).toBe('chunked')
  expect(response?.text()).toBe('one two')
})

test('a trickle ends when the server has had enough', async () => {
  const origin = await serve((request) => request.once('data', () => request.socket.destroy()))
  using raw = await RawConnection.open(origin)
  raw.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
  const sent = await raw.trickle(Buffer.alloc(1_000_000), { size: 1, interval: 1 })
  expect(sent).toBeLessThan(1_000_000)
  expect(await raw.response()).toBeNull()
})

test('a connection that ends within an answer is an error', async () => {
  const origin = await serve((_, response) => {
    response.setHeader('content-length', 10)
    response.write('half', () => response.destroy())
  })
  using raw = await RawConnection.open(origin)
  raw.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect(raw.response()).rejects.toThrow('within a body')
})
