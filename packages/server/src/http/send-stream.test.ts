import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { HttpClient, type HttpResponse } from '@openregistry/testkit'
import { sendStream } from './send-stream.ts'

async function* chunksOf(...sizes: number[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const size of sizes) yield new Uint8Array(size)
}

/** What a client gets from a server that announces so many bytes, and what the server's code is told. */
async function serve(
  length: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ answer: HttpResponse | Error; outcome: unknown }> {
  const outcome = Promise.withResolvers<unknown>()
  const server = createServer((_, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': length })
    sendStream(response, { chunks, length, stall: 10_000 }).then(outcome.resolve, outcome.resolve)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    using client = new HttpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const answer = await client.send({ path: '/' }).catch((error: Error) => error)
    return { answer, outcome: await outcome.promise }
  } finally {
    server.close()
  }
}

test('everything arrives', async () => {
  const { answer, outcome } = await serve(30_000, chunksOf(10_000, 20_000))
  expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(30_000) })
  expect(outcome).toEqual({ sent: 30_000, complete: true })
})

test('a client of a stream that ends early neither waits for the rest nor takes the part for the whole', async () => {
  const { answer, outcome } = await serve(30_000, chunksOf(10_000))
  expect(answer).toBeInstanceOf(Error)
  expect(outcome).toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
})
