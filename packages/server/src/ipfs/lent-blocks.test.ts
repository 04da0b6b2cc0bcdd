import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { MemoryBlockView } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { beginExchange } from '../http/exchange.ts'
import { listen } from '../http/listener.ts'
import { silentLogger } from '../log/logger.ts'
import { parseIpfsTarget } from './route.ts'
import { createIpfsTransport } from './transport.ts'

const mebi = 2 ** 20

async function ask(address: string): Promise<IncomingMessage> {
  const request = get(address, { agent: false })
  request.on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response.on('error', () => undefined)
}

test('a block is lent until the last byte has left, however slow a client is and whoever goes away', async () => {
  const view = new MemoryBlockView()
  // As large as blocks get: much of it waits for a client that does not read.
  const blocks = Array.from({ length: 10 }, (_, at) => Buffer.alloc(2 * mebi, `block ${at} `))
  const cids = blocks.map((bytes) => view.addBlock(bytes))
  const transport = createIpfsTransport({
    ...{ view, names: { record: () => Promise.resolve(null) }, peerId: '12D3KooWpeer', publicUrl: null },
    ...{ log: silentLogger, stall: 60_000, logReads: false, countSent: () => undefined },
  })
  const options = { hosts: ['127.0.0.1'], port: 0, tls: null, maxHeaderSize: 16_384, headersTimeout: 60_000 }
  const listener = await listen(
    { ...options, keepAliveTimeout: 5000, stall: 60_000, maxConnections: 0 },
    (request, response) => {
      const exchange = beginExchange(request, response)
      void transport(exchange, parseIpfsTarget(exchange.path)!)
    },
  )
  try {
    const address = (at: number): string => `${listener.addresses[0]!}/ipfs/${cids[at]!}?format=raw`
    const slow = await Promise.all(blocks.map((_, at) => ask(address(at))))
    const leaving = await Promise.all(blocks.map((_, at) => ask(address(at))))
    for (const response of leaving) {
      await once(response, 'readable')
      response.read()
      response.destroy()
    }
    for (const [at, bytes] of blocks.entries()) {
      const quick = Buffer.concat(await Array.fromAsync(await ask(address(at)), (chunk) => chunk as Buffer))
      expect(quick.equals(bytes)).toBe(true)
    }
    for (const [at, bytes] of blocks.entries()) {
      const read = Buffer.concat(await Array.fromAsync(slow[at]!, (chunk) => chunk as Buffer))
      expect(read.equals(bytes)).toBe(true)
    }
  } finally {
    await listener.close(0)
  }
})
