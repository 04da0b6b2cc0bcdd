import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { answerLines } from './answer-lines.ts'
import { HttpPeer } from './http-peer.ts'
import { PeerRefusal, PeerUnreachable } from './peer-fault.ts'

const mebi = 1024 * 1024
const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

/** A peer whose every request is answered so. */
async function peerOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  timeout = 20_000,
): Promise<HttpPeer> {
  const server: Server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`
  const peer = new HttpPeer({ url, authorization: 'Bearer canary', timeout, connections: 4 })
  opened.push({
    async [Symbol.asyncDispose]() {
      peer.close()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
  return peer
}

/** The answer to a request with a body, line by line. */
async function lines(
  peer: HttpPeer,
  body: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<unknown[]> {
  const answer = await peer.ask({ method: 'POST', path: '/x', body, ...(signal && { signal }) })
  return Array.fromAsync(answerLines(answer))
}

async function* chunks(count: number, onChunk?: (index: number) => void): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) {
    onChunk?.(index)
    yield new Uint8Array(mebi)
  }
}

async function counted(request: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length
  return bytes
}

describe('a peer over HTTP', () => {
  test('is asked with the credentials, in our name, and by nobody who looks like a browser', async () => {
    const peer = await peerOf((request, response) => response.end(JSON.stringify(request.headers)))
    const [headers] = await lines(peer, chunks(0))
    expect(headers).toMatchObject({ authorization: 'Bearer canary', 'user-agent': 'openregistry' })
    expect(headers).not.toHaveProperty('origin')
    expect(headers).not.toHaveProperty('referer')
  })

  test('gets a body of any length, and its lines come back whole however they are cut', async () => {
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const text = `{"bytes":${await counted(request)}}\n\n{"é":"ü"}`
      for (const byte of Buffer.from(text)) {
        response.write(Uint8Array.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    }
    const peer = await peerOf((request, response) => void answer(request, response))
    expect(await lines(peer, chunks(5))).toEqual([{ bytes: 5 * mebi }, { é: 'ü' }])
  })

  test('an error in the trailer of a 200 is an error', async () => {
    const peer = await peerOf((_request, response) => {
      response.writeHead(200, { trailer: 'X-Stream-Error' })
      response.write('{"Root":1}\n')
      response.addTrailers({ 'X-Stream-Error': 'no space left on device' })
      response.end()
    })
    await expect(lines(peer, chunks(1))).rejects.toThrow('no space left on device')
    await expect(lines(peer, chunks(1))).rejects.toBeInstanceOf(PeerRefusal)
  })

  test.each([
    ['JSON of Kubo', '{"Message":"is not pinned","Code":0}', 'is not pinned'],
    ['JSON of IPFS Cluster', '{"code":404,"message":"not found"}', 'not found'],
    ['a page of a proxy', '<h1>Bad gateway</h1>', '502 <h1>Bad gateway</h1>'],
    ['nothing', '', '502'],
  ])('a refusal in %s', async (_what, text, message) => {
    const peer = await peerOf((_request, response) => response.writeHead(502).end(text))
    await expect(lines(peer, chunks(0))).rejects.toMatchObject({ status: 502, message })
  })

  test('an answer in the middle of the body is heard, and the rest is not sent', async () => {
    const peer = await peerOf((request, response) => {
      request.once('data', () => response.writeHead(500, { connection: 'close' }).end('{"Message":"full"}'))
    })
    let sent = 0
    await expect(
      lines(
        peer,
        chunks(1000, () => sent++),
      ),
    ).rejects.toMatchObject({ message: 'full' })
    expect(sent).toBeLessThan(1000)
  })

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['cuts the connection', (request) => request.socket.destroy()],
    ['cuts its answer', (_request, response) => void response.write('{}\n', () => response.destroy())],
    ['answers with half a line', (_request, response) => response.end('{"a":')],
  ])('one that %s is unreachable', async (_what, answer) => {
    const peer = await peerOf(answer)
    await expect(lines(peer, chunks(3))).rejects.toBeInstanceOf(PeerUnreachable)
  })

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['takes nothing', (request) => request.pause()],
    ['takes everything and says nothing', (request) => request.resume()],
    ['falls silent in its answer', (_request, response) => void response.write('{}\n')],
  ])('one that %s is not waited for', async (_what, answer) => {
    const peer = await peerOf(answer, 300)
    await expect(lines(peer, chunks(100))).rejects.toThrow('no answer for 300 ms')
  })

  test('nobody there', async () => {
    const peer = new HttpPeer({
      url: 'http://127.0.0.1:1',
      authorization: null,
      timeout: 5000,
      connections: 1,
    })
    await expect(lines(peer, chunks(1))).rejects.toThrow(/127\.0\.0\.1:1: .*ECONNREFUSED/)
  })

  test('a signal ends the sending with its reason', async () => {
    const peer = await peerOf((request) => request.pause())
    const aborting = new AbortController()
    const reason = new Error('never mind')
    const onChunk = (index: number): void => void (index === 2 && aborting.abort(reason))
    await expect(lines(peer, chunks(100, onChunk), aborting.signal)).rejects.toBe(reason)
  })

  test('an error of the body is that error', async () => {
    // What it counts is broken off, now or when the test is over already.
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      void counted(request).then(
        () => response.end('{}'),
        () => undefined,
      )
    const peer = await peerOf(answer)
    const broken = new Error('the spool is gone')
    const onChunk = (index: number): void => {
      if (index === 2) throw broken
    }
    await expect(lines(peer, chunks(5, onChunk))).rejects.toBe(broken)
  })

  test('connections are used again, and those that broke are not', async () => {
    const ports = new Set<number | undefined>()
    let asked = 0
    const peer = await peerOf((request, response) => {
      ports.add(request.socket.remotePort)
      if (++asked === 3) request.socket.destroy()
      else response.end('{}')
    })
    for (let round = 0; round < 3; round++) await lines(peer, chunks(0)).catch(() => undefined)
    expect(ports.size).toBe(1)
    await lines(peer, chunks(0))
    expect(ports.size).toBe(2)
  })
})
