import { createHash, randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodeCid } from '@openregistry/dag'
import type { MessageStream } from '@libp2p/interface'
import { BitswapClient, framed, MemoryBlockView, wantlistMessage } from '@openregistry/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startNode, type IpfsNode } from '../start-node.ts'

const mebi = 2 ** 20
const view = new MemoryBlockView()
let node: IpfsNode
let clients = new AsyncDisposableStack()
beforeAll(async () => {
  node = await startNode({
    view,
    seed: new Uint8Array(32).fill(7),
    listen: [{ host: '127.0.0.1', port: 0 }],
    reachable: [],
    swarmKey: null,
    bootstrap: [],
    maxConnections: 100,
    peerMemory: 4 * mebi,
    observer: { sent: () => undefined, failed: () => undefined },
  })
})
afterEach(async () => {
  await clients.disposeAsync()
  clients = new AsyncDisposableStack()
})
afterAll(() => node[Symbol.asyncDispose]())

const connect = async (): Promise<BitswapClient> =>
  clients.use(await BitswapClient.connect(node.addresses[0] ?? ''))

/** The connection below the streams, where frames of the muxer go. */
const wireOf = ({ connection }: BitswapClient): MessageStream =>
  (connection as unknown as { muxer: { maConn: MessageStream } }).muxer.maConn

/** Sends a piece again and again, as fast as it is taken, until it is enough or the connection is cut. */
async function flood(to: MessageStream, piece: Uint8Array, times: number): Promise<void> {
  try {
    for (let n = 0; n < times; n++) if (!to.send(piece)) await to.onDrain()
  } catch {
    // Cut, as it should be.
  }
}

/** A frame of Yamux that has no data, whatever it says. */
function frame(type: number, { flags = 0, stream = 0, length = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt8(type, 1)
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt32BE(stream, 4)
  bytes.writeUInt32BE(length, 8)
  return bytes
}

const cidOf = (bytes: Uint8Array): Uint8Array =>
  encodeCid({ version: 1, codec: 0x55, hash: 0x12, digest: createHash('sha256').update(bytes).digest() })

async function expectServed(): Promise<void> {
  const fair = await connect()
  const bytes = randomBytes(1000)
  view.addBlock(bytes)
  await fair.ask(wantlistMessage([{ cid: cidOf(bytes) }]))
  await fair.told(({ blocks }) => blocks.length === 1)
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that buffers of this process have, those of the peers and of the node. */
async function buffered(): Promise<number> {
  // A buffer goes with the second collection after its last use.
  for (let times = 0; times < 3; times++) {
    collectGarbage()
    await setImmediate()
  }
  return process.memoryUsage().arrayBuffers
}

test('peers that send what is not read for a while hold a bounded part of the memory together', async () => {
  const read = view.block.bind(view)
  const gate = Promise.withResolvers<void>()
  view.block = (digest) => gate.promise.then(() => read(digest))
  const greedy = await Promise.all(Array.from({ length: 24 }, connect))
  const wants = Array.from({ length: 500 }, () => ({ cid: cidOf(randomBytes(8)) }))
  const unread = Buffer.concat([framed(wantlistMessage(wants)), randomBytes(mebi)])
  const streams = await Promise.all(greedy.flatMap((one) => Array.from({ length: 4 }, () => one.open())))
  const before = await buffered()
  for (const stream of streams) stream.send(unread)
  // Whoever has an answer to this has sent the rest before it; the others are cut.
  await Promise.allSettled(greedy.map((one) => one.open('/ipfs/ping/1.0.0')))
  const [held, left] = [(await buffered()) - before, node.peers()]
  gate.resolve()
  // Without a bound it is at least 24 MiB: four windows of each peer.
  expect(held).toBeLessThan(16 * mebi)
  expect(left).toBeLessThan(24)
  await expectServed()
})

test('a frame that says that it is larger than a window ends its connection before it has come', async () => {
  const one = await connect()
  wireOf(one).send(frame(0, { flags: 1, stream: 101, length: 0xffff_ffff }))
  await expect.poll(() => node.peers()).toBe(0)
})

test('pings whose answers are not taken end their connection', async () => {
  const one = await connect()
  const wire = wireOf(one)
  wire.pause()
  const pings = Buffer.concat(Array.from({ length: 5000 }, (_, n) => frame(2, { flags: 1, length: n })))
  await flood(wire, pings, 400)
  await expect.poll(() => node.peers()).toBe(0)
  await expectServed()
})
