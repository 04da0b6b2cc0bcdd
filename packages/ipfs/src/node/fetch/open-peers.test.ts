import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { cidParts, dagPbCid, encodeCid, formatCid, peerId, rawCid, type Cid } from '@openregistry/dag'
import {
  BitswapPeer,
  freePort,
  MemoryBlockView,
  responseMessage,
  wantlistMessage,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import type { NamedSource } from '../../client/named-source.ts'
import { parsePeerAddress } from '../../client/peer-address.ts'
import { sha256 } from '../../sha256.ts'
import { findBlockOf } from '../../snapshot/find-block.ts'
import { startNode } from '../start-node.ts'
import { openPeers, type PeersOptions } from './open-peers.ts'

/** A block, and its CID. */
function block(size = 1000): { bytes: Uint8Array; cid: Cid; digest: Uint8Array } {
  const bytes = new Uint8Array(randomBytes(size))
  const digest = sha256(bytes)
  return { bytes, cid: rawCid(digest), digest }
}

const bytesOf = (cid: Cid): Uint8Array => new Uint8Array(encodeCid(cidParts(cid)))
const size = 2 ** 20

/** Milliseconds for a block that will not come. */
const short = { block: 400 }

/** A peer, and how it looks to whoever asks it. */
async function open(options: Partial<PeersOptions> = {}, protocols = ['/ipfs/bitswap/1.2.0']) {
  const opened = new AsyncDisposableStack()
  const psk = options.swarmKey
  const peer = opened.use(await BitswapPeer.start({ protocols, ...(psk == null ? {} : { psk }) }))
  const peers = opened.use(
    openPeers({ swarmKey: null, ...options, limits: { rest: 60_000, ...options.limits } }),
  )
  const source = sourceAt(peers, peer.address)
  return { peer, peers, source, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function sourceAt(peers: ReturnType<typeof openPeers>, address: string): NamedSource {
  const parsed = parsePeerAddress(address)
  if (parsed === null) throw new Error(`${address} is no address.`)
  return peers.source(parsed)
}

const wants = ({ asked }: BitswapPeer): number => asked.filter(({ cancel }) => cancel !== true).length
const cancels = ({ asked }: BitswapPeer): Uint8Array[] =>
  asked.filter(({ cancel }) => cancel === true).map(({ cid }) => new Uint8Array(cid))

describe('a peer that is asked for blocks', () => {
  test('gives them, and says what it does not have', async () => {
    await using opened = await open()
    const { peer, source } = opened
    const [small, large, missing] = [block(), block(2 * size), block()]
    for (const { bytes } of [small, large]) peer.add(bytes)
    expect(source.name).toBe(`the peer at 127.0.0.1:${peer.address.split('/')[4]}`)
    expect(await source.block(large.cid, 2 * size)).toEqual(large.bytes)
    expect(await source.block(dagPbCid(small.digest), size)).toEqual(small.bytes)
    expect(await source.block(missing.cid, size)).toBeNull()
    expect(peer.connections).toBe(1)
    // What it does not have it need not send when it gets it.
    await expect.poll(() => cancels(peer)).toEqual([bytesOf(missing.cid)])
  })

  test('hears in one message of all that is wanted at once, of each block once, and of few at a time', async () => {
    await using opened = await open()
    const { peer, source } = opened
    const blocks = Array.from({ length: 20 }, () => block())
    const held: (() => void)[] = []
    peer.answer = (want) => void held.push(() => void peer.answerFairly(want))
    for (const { bytes } of blocks) peer.add(bytes)
    const again = source.block(blocks[0]!.cid, 0).catch((error: Error) => error.message)
    const asked = blocks.map(({ cid }) => source.block(cid, size))
    await expect.poll(() => wants(peer)).toBe(16)
    expect(peer.messages).toBeLessThanOrEqual(3)
    peer.answer = (want) => peer.answerFairly(want)
    for (const answer of held) answer()
    expect(await Promise.all(asked)).toEqual(blocks.map(({ bytes }) => bytes))
    expect(await again).toBe('it gives more than the 0 bytes that were asked for')
    expect(wants(peer)).toBe(20)
  })

  test('is not asked for blocks with other hashes than SHA-256, nor for names', async () => {
    await using opened = await open()
    const { peer, source } = opened
    for (const hash of [0x00, 0x1e, 0x13]) {
      const cid = formatCid({ version: 1, codec: 0x55, hash, digest: new Uint8Array(32) })
      expect(await source.block(cid, size)).toBeNull()
    }
    expect(peer.connections).toBe(0)
    await expect(source.record('k51')).rejects.toThrow('not for names')
  })

  test('may speak the older protocol, in which nothing is said of what is not there', async () => {
    await using opened = await open({ limits: { block: 1500 } }, ['/ipfs/bitswap/1.1.0'])
    const { peer, source } = opened
    const [known, missing] = [block(), block()]
    peer.add(known.bytes)
    peer.answer = (want) => void (want.cid.at(-1) === known.digest.at(-1) && peer.answerFairly(want))
    const asked = source.block(missing.cid, size)
    expect(await source.block(known.cid, size)).toEqual(known.bytes)
    await expect(asked).rejects.toThrow('it does not give the block within 1.5 seconds')
    await expect.poll(() => cancels(peer)).toEqual([bytesOf(missing.cid)])
    // It may come late, and the connection goes on.
    await peer.say(responseMessage({ blocks: [missing.bytes] }))
    expect(await source.block(known.cid, size)).toEqual(known.bytes)
    expect(peer.connections).toBe(1)
  })

  test('hears when nobody waits any more', async () => {
    await using opened = await open()
    const { peer, source } = opened
    peer.answer = () => undefined
    const stopping = new AbortController()
    const [left, kept] = [block(), block()]
    peer.add(kept.bytes)
    const asked = [source.block(left.cid, size, stopping.signal), source.block(kept.cid, size)]
    const [first] = asked
    await expect.poll(() => wants(peer)).toBe(2)
    stopping.abort(new Error('stopped'))
    await expect(first).rejects.toThrow('stopped')
    await expect.poll(() => cancels(peer)).toEqual([bytesOf(left.cid)])
    await peer.answerFairly({ cid: bytesOf(kept.cid) })
    expect(await asked[1]).toEqual(kept.bytes)
    await expect(source.block(left.cid, size, stopping.signal)).rejects.toThrow('stopped')
  })

  test('may be a registry', async () => {
    const view = new MemoryBlockView()
    const content = new Uint8Array(randomBytes(3 * size + 1))
    const { cid } = view.addBlob(content)
    await using node = await startNode({
      view,
      seed: new Uint8Array(32).fill(9),
      listen: [{ host: '127.0.0.1', port: 0 }],
      reachable: [],
      swarmKey: null,
      bootstrap: [],
      maxConnections: 5,
      observer: { sent: () => undefined, failed: () => undefined },
    })
    await using peers = openPeers({ swarmKey: null })
    const source = sourceAt(peers, node.addresses[0]!)
    const leaves = [0, 1, 2, 3].map((at) => sha256(content.subarray(at * size, (at + 1) * size)))
    const given = await Promise.all([cid, ...leaves.map(rawCid)].map((one) => source.block(one, size)))
    expect(Buffer.concat(given.slice(1) as Uint8Array[]).equals(content)).toBe(true)
    expect(await source.block(block().cid, size)).toBeNull()
  })
})

describe('a peer that does not give what it was asked for', () => {
  /** Lets it do it, and asks it and then another one. @returns what it did wrong. */
  async function blame(
    misdeed: (peer: BitswapPeer) => void | Promise<void>,
    limits: PeersOptions['limits'] = {},
  ): Promise<string> {
    await using bad = await open({ limits })
    await using good = await open()
    const wanted = block()
    good.peer.add(wanted.bytes)
    bad.peer.answer = ({ cancel }) => (cancel === true ? undefined : misdeed(bad.peer))
    const fault = await bad.source.block(wanted.cid, size).then(
      () => 'none',
      (error: Error) => error.message,
    )
    const sources = [bad.source, good.source]
    expect(await findBlockOf(sources, wanted.cid)).toEqual(wanted.bytes)
    // It is left alone for a while, so that many blocks are not waited for one by one.
    await expect(bad.source.block(block().cid, size)).rejects.toThrow(fault)
    expect(bad.peer.connections).toBeLessThanOrEqual(2)
    return fault
  }

  test('but another block', async () => {
    const other = responseMessage({ blocks: [block().bytes] })
    expect(await blame((peer) => peer.say(other))).toBe(
      'it does not keep to Bitswap (It gives other blocks than it was asked for)',
    )
  })

  test('but nothing at all', async () => {
    expect(await blame(() => undefined, short)).toBe(
      'it does not keep to Bitswap (It says nothing for 0.4 seconds)',
    )
  })

  test('but the beginning of a message', async () => {
    expect(await blame((peer) => peer.send(Uint8Array.of(100, 1)), short)).toContain('It says nothing for')
  })

  test('but ends each connection', async () => {
    expect(await blame((peer) => peer.disconnect())).toBe('the connection was lost')
  })

  test('but a message that is too long', async () => {
    expect(await blame((peer) => peer.send(Uint8Array.of(0x80, 0x80, 0x80, 0x04)))).toBe(
      'it does not keep to Bitswap (A message is longer than 4194304 bytes)',
    )
  })

  test('but a block that is too long', async () => {
    const long = responseMessage({ blocks: [new Uint8Array(2 * size + 1)] })
    expect(await blame((peer) => peer.say(long))).toContain('a block that is too long')
  })

  test('but no message', async () => {
    expect(await blame((peer) => peer.say(Uint8Array.of(0x0b, 0x0b)))).toContain('Not a message')
  })

  test('but what it gave before, thousands of times', async () => {
    await using opened = await open()
    const { peer, source } = opened
    const given = block(0)
    peer.add(given.bytes)
    expect(await source.block(given.cid, size)).toEqual(given.bytes)
    const again = responseMessage({ blocks: Array.from({ length: 2000 }, () => given.bytes) })
    peer.answer = () => peer.say(again)
    await expect(source.block(block().cid, size)).rejects.toThrow('the same blocks again and again')
  })

  test('but messages without end', async () => {
    const question = wantlistMessage(Array.from({ length: 20_000 }, () => ({ cid: bytesOf(block().cid) })))
    const misdeed = async (peer: BitswapPeer): Promise<void> => {
      for (let times = 0; times < 40; times++) await peer.say(question)
    }
    expect(await blame(misdeed)).toContain('It sends on and on, and no answer')
  })
})

describe('a connection', () => {
  test('that is lost in the middle is made again, and the block comes', async () => {
    await using opened = await open()
    const { peer, source } = opened
    const blocks = [block(size), block(size)]
    for (const { bytes } of blocks) peer.add(bytes)
    peer.answer = async () => {
      peer.answer = (want) => peer.answerFairly(want)
      await peer.send(Buffer.concat([Uint8Array.of(0x80, 0x80, 0x40), blocks[0]!.bytes.subarray(0, 1000)]))
      peer.disconnect()
    }
    const given = await Promise.all(blocks.map(({ cid }) => source.block(cid, size)))
    expect(given).toEqual(blocks.map(({ bytes }) => bytes))
    expect(peer.connections).toBe(2)
    peer.disconnect()
    expect(await source.block(blocks[0]!.cid, size)).toEqual(blocks[0]!.bytes)
  })

  test('that cannot be made is not tried for each block', async () => {
    await using peers = openPeers({ swarmKey: null, limits: { rest: 60_000 } })
    const port = await freePort()
    const peer = peerId(new Uint8Array(32).fill(7))
    const source = sourceAt(peers, `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}`)
    await expect(source.block(block().cid, size)).rejects.toThrow(/it cannot be reached \(.*ECONNREFUSED/)
    await using late = await BitswapPeer.start({ port })
    await expect(source.block(block().cid, size)).rejects.toThrow('ECONNREFUSED')
    expect(late.connections).toBe(0)
  })

  test('is not waited for long', async () => {
    await using silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    await using peers = openPeers({ swarmKey: null, limits: { dial: 200 } })
    const address = `/ip4/127.0.0.1/tcp/${(silent.address() as AddressInfo).port}`
    const source = sourceAt(peers, `${address}/p2p/${peerId(new Uint8Array(32).fill(7))}`)
    await expect(source.block(block().cid, size)).rejects.toThrow('it does not answer within 0.2 seconds')
  })

  test('to somebody else than was named is none', async () => {
    await using opened = await open()
    const [, name] = opened.peer.address.split('/p2p/')
    const other = opened.peer.address.replace(/p2p\/.*/, `p2p/${peerId(new Uint8Array(32).fill(7))}`)
    const asked = sourceAt(opened.peers, other).block(block().cid, size)
    await expect(asked).rejects.toThrow(`another peer is there (${name})`)
  })

  test('to somebody who speaks no Bitswap is of no use', async () => {
    await using opened = await open({}, ['/other/1.0.0'])
    await expect(opened.source.block(block().cid, size)).rejects.toThrow('it does not speak Bitswap')
  })
})

describe('in a private network', () => {
  const keyOf = (digit: string): Buffer =>
    Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${digit.repeat(64)}\n`)
  const limits = { dial: 2000 }

  test('blocks come from those who have its key, and nobody else', async () => {
    await using opened = await open({ swarmKey: keyOf('a') })
    await using stranger = await open({ swarmKey: keyOf('b') })
    await using outside = await open()
    const { bytes, cid } = block()
    for (const { peer } of [opened, stranger, outside]) peer.add(bytes)
    expect(await opened.source.block(cid, size)).toEqual(bytes)
    for (const { peer } of [stranger, outside]) {
      await using peers = openPeers({ swarmKey: keyOf('a'), limits })
      const asked = sourceAt(peers, peer.address).block(cid, size)
      await expect(asked).rejects.toThrow('it may have another swarm key')
    }
    await using peers = openPeers({ swarmKey: null, limits })
    const asked = sourceAt(peers, opened.peer.address).block(cid, size)
    await expect(asked).rejects.toThrow(/it may be in a private network|it does not answer/)
  })

  test('a key that is none is told at the first question', async () => {
    await using peers = openPeers({ swarmKey: Buffer.from('secret') })
    const address = `/ip4/127.0.0.1/tcp/1/p2p/${peerId(new Uint8Array(32).fill(7))}`
    await expect(sourceAt(peers, address).block(block().cid, size)).rejects.toThrow()
  })
})
