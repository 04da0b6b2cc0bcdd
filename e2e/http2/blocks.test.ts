import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { constants, type ClientHttp2Stream } from 'node:http2'
import { get } from 'node:https'
import { rawCid } from '@openregistry/dag'
import { contentOf, randomFrom } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { shared } from '../support/client-test.ts'
import { requirePeers } from '../support/peers.ts'
import { SecureRegistry } from './secure-registry.ts'

const needs = ['openssl'] as const
const registry = shared(() => SecureRegistry.start(), needs)
const mebi = 1024 * 1024

/** Blocks of a public blob, each with the address that a gateway has for it. */
const blob = contentOf(randomFrom('blocks over TLS').bytes(8 * mebi))
const blocks = Array.from({ length: 8 }, (_, at) => blob.bytes.subarray(at * mebi, (at + 1) * mebi))
const paths = blocks.map((bytes) => `/ipfs/${rawCid(createHash('sha256').update(bytes).digest())}?format=raw`)

/*
 * Memory of blocks is used again. Whoever gets a byte of another block has been lent memory that was given back too early.
 */
interface Opened {
  leave(): void
  read(): Promise<Buffer>
}

const ways: [string, () => Disposable & { open(path: string): Promise<Opened> }][] = [
  [
    'HTTP/2',
    () => {
      const client = registry().client()
      const open = async (path: string): Promise<Opened> => {
        const stream: ClientHttp2Stream = client.session.request({ ':path': path })
        stream.on('error', () => undefined)
        await once(stream, 'response')
        return {
          leave: () => stream.close(constants.NGHTTP2_CANCEL),
          read: async () => Buffer.concat(await Array.fromAsync(stream, (chunk) => chunk as Buffer)),
        }
      }
      return { open, [Symbol.dispose]: () => client[Symbol.dispose]() }
    },
  ],
  [
    'HTTP/1.1',
    () => ({
      open: async (path) => {
        const { origin, ca } = registry()
        const request = get(`${origin}${path}`, { ca, agent: false })
        request.on('error', () => undefined)
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        response.on('error', () => undefined)
        return {
          leave: () => void response.destroy(),
          read: async () => Buffer.concat(await Array.fromAsync(response, (chunk) => chunk as Buffer)),
        }
      },
      [Symbol.dispose]: () => undefined,
    }),
  ],
]

/** Whoever gives up more on one connection is asked for a new one. */
const leavesAtMost = 12

/** Keeps asking for blocks and leaving in the middle, until it is told to stop. */
async function leaveAgainAndAgain(
  open: (path: string) => Promise<Opened>,
  signal: AbortSignal,
): Promise<number> {
  let left = 0
  for (; !signal.aborted && left < leavesAtMost; left++) (await open(paths[left % paths.length]!)).leave()
  return left
}

for (const [protocol, connect] of ways) {
  test(`${protocol}: every byte of a block is its own, whoever reads slowly or leaves`, async (context) => {
    requirePeers(context, needs)
    using pusher = registry().client()
    await registry().repository(pusher).pushBlob(blob)
    using client = connect()
    using leaver = connect()
    const stop = new AbortController()
    const leaving = leaveAgainAndAgain(leaver.open, stop.signal)
    const slow = await Promise.all(paths.map((path) => client.open(path)))
    for (let round = 0; round < 4; round++) {
      const quick = await Promise.all(paths.map(async (path) => (await client.open(path)).read()))
      expect(quick.map((bytes, at) => bytes.equals(blocks[at]!))).not.toContain(false)
    }
    const read = await Promise.all(slow.map((one) => one.read()))
    expect(read.map((bytes, at) => bytes.equals(blocks[at]!))).not.toContain(false)
    stop.abort()
    expect(await leaving).toBeGreaterThan(0)
    expect(registry().log.takeFaults()).toEqual([])
  })
}
