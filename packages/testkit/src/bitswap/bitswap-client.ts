import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { readResponses, type ReadResponse } from './response-message.ts'
import { framed } from './wire-format.ts'

/** A peer that asks, and says nothing that it is not told to say. */
export class BitswapClient implements AsyncDisposable {
  /** Streams that were opened to it. */
  readonly answered: Stream[] = []
  readonly connection: Connection
  readonly #node: Libp2p
  readonly #chunks: Uint8Array[] = []
  #told: (() => void) | null = null

  private constructor(node: Libp2p, connection: Connection) {
    this.#node = node
    this.connection = connection
  }

  /** Connects to a node. @throws what libp2p does when it cannot. */
  static async connect(
    address: string,
    { protocols = ['/ipfs/bitswap/1.2.0'], reads = true, psk, patience = 30_000 }: BitswapClientOptions = {},
  ): Promise<BitswapClient> {
    const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { multiaddr }] = await Promise.all([
      import('libp2p'),
      import('@libp2p/tcp'),
      import('@libp2p/noise'),
      import('@libp2p/yamux'),
      import('@multiformats/multiaddr'),
    ])
    const { preSharedKey } = await import('@libp2p/pnet')
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      ...(psk === undefined ? {} : { connectionProtector: preSharedKey({ psk }) }),
    })
    try {
      const taken: Stream[] = []
      let client: BitswapClient | null = null
      await node.handle([...protocols], (stream) => {
        if (!reads) stream.pause()
        if (client === null) taken.push(stream)
        else client.#take(stream)
      })
      client = new BitswapClient(
        node,
        await node.dial(multiaddr(address), { signal: AbortSignal.timeout(patience) }),
      )
      for (const stream of taken) client.#take(stream)
      return client
    } catch (error) {
      await node.stop()
      throw error
    }
  }

  /** Opens a stream, as the asking side. */
  open(protocol = '/ipfs/bitswap/1.2.0'): Promise<Stream> {
    return this.connection.newStream([protocol])
  }

  /** Sends a message on a stream of its own. */
  async ask(message: Uint8Array, protocol?: string): Promise<Stream> {
    const stream = await this.open(protocol)
    stream.send(framed(message))
    return stream
  }

  /** What it was told, once it is as much as is waited for. */
  async told(isEnough: (response: ReadResponse) => boolean): Promise<ReadResponse> {
    for (;;) {
      const response = readResponses(Buffer.concat(this.#chunks))
      if (isEnough(response)) return response
      await new Promise<void>((resolve) => (this.#told = resolve))
    }
  }

  #take(stream: Stream): void {
    this.answered.push(stream)
    stream.addEventListener('message', ({ data }) => {
      this.#chunks.push(data.subarray())
      this.#told?.()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.stop()
  }
}

/** What a client is like. */
export interface BitswapClientOptions {
  /** What it understands of answers: 1.2 unless said otherwise. */
  protocols?: readonly string[]
  /** Whether it takes what it is sent. */
  reads?: boolean
  /** The contents of its `swarm.key`. */
  psk?: Uint8Array
  /** Milliseconds that connecting may take. */
  patience?: number
}
