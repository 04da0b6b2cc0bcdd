import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rawCid } from '@openregistry/dag'

const leafSize = 1024 * 1024

/** A trustless gateway that has the leaves of some content, and answers as it is told. */
export interface BlockGateway extends AsyncDisposable {
  readonly address: string
  /** Paths that were asked for. */
  readonly asked: string[]
  /** Replaces the answer; false leaves it as it is. */
  answer: ((cid: string, block: Uint8Array | undefined, response: ServerResponse) => boolean) | null
}

/** Starts one on a free port of this machine. */
export async function startBlockGateway(...contents: readonly Uint8Array[]): Promise<BlockGateway> {
  const blocks = new Map<string, Uint8Array>()
  for (const content of contents) {
    for (let at = 0; at < content.length; at += leafSize) {
      const leaf = content.subarray(at, at + leafSize)
      blocks.set(rawCid(Uint8Array.from(createHash('sha256').update(leaf).digest())), leaf)
    }
  }
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const [, cid = ''] = /^\/ipfs\/([a-z0-9]+)\?format=raw$/.exec(request.url ?? '') ?? []
    const block = blocks.get(cid)
    if (gateway.answer?.(cid, block, response) === true) return
    if (request.headers.accept !== 'application/vnd.ipld.raw') response.writeHead(406).end()
    else if (block === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'Content-Type': 'application/vnd.ipld.raw' }).end(block)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const gateway: BlockGateway = {
    address: `http://127.0.0.1:${port}`,
    asked,
    answer: null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return gateway
}
