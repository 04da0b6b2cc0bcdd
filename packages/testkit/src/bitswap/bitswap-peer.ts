import { createHash } from 'node:crypto'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { responseMessage } from './response-message.ts'
import { readWantlist, type WrittenWant } from './wantlist-message.ts'
import { framed, unframed } from './wire-format.ts'

/** What a peer does with a want. */
export type Answering = (want: WrittenWant, peer: BitswapPeer) => void | Promise<void>

/** A peer that has blocks, and answers as it is told to: fairly, unless said otherwise. */
export class BitswapPeer implements AsyncDisposable {
  /** Where it is, with its name. */
  readonly address: string
  /** What it was asked for, and what was taken back. */
  readonly asked: WrittenWant[] = []
  /** Messages in which that came. */
  messages = 0
  /** Connections that were made to it. */
  connections = 0
  answer: Answering = (want, peer) => peer.answerFairly(want)
  readonly #blocks = new Map<string, Uint8Array>()
  readonly #node: Libp2p
  #connection: Connection | null = null
  #out: Promise<Stream> | null = null

  private constructor(node: Libp2p) {
    this.#node = node
    this.address = node.getMultiaddrs().map(String)[0] ?? ''
  }

  /** Starts it on a free port, unless one is given. */
  static async start({
    protocols = ['/ipfs/bitswap/1.2.0'],
    psk,
    port = 0,
  }: BitswapPeerOptions = {}): Promise<BitswapPeer> {
    const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { preSharedKey }] = await Promise.all([
      import('libp2p'),
      import('@libp2p/tcp'),
      import('@libp2p/noise'),
      import('@libp2p/yamux'),
      import('@libp2p/pnet'),
    ])
    const node = await createLibp2p({
      addresses: { listen: [`/ip4/127.0.0.1/tcp/${port}`] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { inboundConnectionThreshold: 1000 },
      ...(psk === undefined ? {} : { connectionProtector: preSharedKey({ psk }) }),
    })
    const peer = new BitswapPeer(node)
    node.addEventListener('connection:open', ({ detail }) => {
      peer.connections++
      peer.#connection = detail
      peer.#out = null
    })
    await node.handle([...protocols], (stream) => peer.#take(stream))
    return peer
  }

  /** Gives it a block. */
  add(block: Uint8Array): void {
    this.#blocks.set(createHash('sha256').update(block).digest('hex'), block)
  }

  /** Gives the block, or says that it is not there. */
  async answerFairly({ cid, cancel, type }: WrittenWant): Promise<void> {
    if (cancel === true) return
    const block = this.#blocks.get(Buffer.from(cid.subarray(-32)).toString('hex'))
    if (block === undefined) await this.say(responseMessage({ hasNot: [cid] }))
    else await this.say(responseMessage(type === 'have' ? { has: [cid] } : { blocks: [block] }))
  }

  /** Sends a message. */
  async say(message: Uint8Array): Promise<void> {
    await this.send(framed(message))
  }

  /** Sends any bytes. Resolves once there is room for more. */
  async send(bytes: Uint8Array): Promise<void> {
    const connection = this.#connection
    if (connection === null) throw new Error('Nobody is connected.')
    this.#out ??= connection.newStream(['/ipfs/bitswap/1.2.0'])
    const stream = await this.#out
    if (!stream.send(bytes)) await stream.onDrain()
  }

  /** Cuts the connection. */
  disconnect(): void {
    this.#connection?.abort(new Error('cut'))
  }

  #take(stream: Stream): void {
    let waiting: Buffer = Buffer.alloc(0)
    stream.addEventListener('message', ({ data }) => {
      const { messages, rest } = unframed(Buffer.concat([waiting, data.subarray()]))
      waiting = rest
      for (const message of messages) {
        this.messages++
        for (const want of readWantlist(message)) {
          this.asked.push(want)
          // Whoever asks may have left.
          void Promise.resolve(this.answer(want, this)).catch(() => undefined)
        }
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.stop()
  }
}

/** What a peer is like. */
export interface BitswapPeerOptions {
  /** What it listens for: 1.2 unless said otherwise. */
  protocols?: readonly string[]
  /** The contents of its `swarm.key`. */
  psk?: Uint8Array
  port?: number
}
