import type { Libp2p, Stream } from '@libp2p/interface'
import { bytesField, fieldsOf, framed } from '../bitswap/wire-format.ts'

/** Nodes with private addresses talk about content by this protocol. */
const localProtocol = '/ipfs/lan/kad/1.0.0'

const messageType = { addProvider: 2n, findNode: 4n }

/** What a peer has said of itself: that it has something. */
export interface ProviderRecord {
  /** The multihash of it, in hexadecimal digits. */
  key: string
  /** Its peer ID. */
  provider: string
  addresses: string[]
}

/** A peer of the local DHT that tells of those that it knows, whoever is asked for, and keeps what it is told. */
export class DhtServer implements AsyncDisposable {
  /** Whom it tells of. */
  knows: { id: Uint8Array; addresses: Uint8Array[] }[] = []
  /** Resets every stream, in place of an answer. */
  silent = false
  /** Called with the kind of each message before it is worked off. */
  onMessage: (kind: 'find' | 'add') => void = () => undefined
  /** What it does with a stream in place of an answer. */
  misdeed: ((stream: Stream) => void) | null = null
  /** Called when somebody has connected, before anything is said. */
  onConnect: () => void = () => undefined
  readonly records: ProviderRecord[] = []
  /** How often it was asked who it is. */
  identified = 0
  /** How often it was asked for peers. */
  asked = 0
  readonly #node: Libp2p

  private constructor(node: Libp2p) {
    this.#node = node
  }

  static async start(): Promise<DhtServer> {
    const [{ createLibp2p }, { tcp }, { noise }, { yamux }] = await Promise.all([
      import('libp2p'),
      import('@libp2p/tcp'),
      import('@libp2p/noise'),
      import('@libp2p/yamux'),
    ])
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      // All peers of a test are on one host.
      connectionManager: { inboundConnectionThreshold: 1000 },
    })
    const server = new DhtServer(node)
    await node.handle(localProtocol, (stream) => server.#serve(stream))
    await node.handle('/ipfs/id/1.0.0', (stream) => {
      server.identified++
      stream.abort(new Error('Nobody needs to know.'))
    })
    node.addEventListener('peer:connect', () => server.onConnect())
    return server
  }

  /** Where it is, with its peer ID. */
  get address(): string {
    return this.#node.getMultiaddrs()[0]!.toString()
  }

  /** How others tell of it. */
  get peer(): { id: Uint8Array; addresses: Uint8Array[] } {
    const [address] = this.#node.getMultiaddrs()
    return { id: this.#node.peerId.toMultihash().bytes, addresses: [address!.decapsulate('/p2p').bytes] }
  }

  /** Peers that are connected to it now. */
  get connected(): number {
    return this.#node.getPeers().length
  }

  /** Every message of a client is short enough to arrive in one piece. */
  #serve(stream: Stream): void {
    stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => undefined))
    stream.addEventListener('message', ({ data }) => {
      // Without the length, which is one or two bytes.
      const bytes = Buffer.from(data.subarray())
      const message = new Map(fieldsOf(bytes.subarray(bytes[0]! < 128 ? 1 : 2)))
      const kind = message.get(1) === messageType.addProvider ? 'add' : 'find'
      this.onMessage(kind)
      if (this.silent) return stream.abort(new Error('It says nothing.'))
      if (this.misdeed !== null) return this.misdeed(stream)
      if (kind === 'find') this.#answer(stream)
      else void this.#note(message.get(2) as Buffer, message.get(9) as Buffer)
    })
  }

  #answer(stream: Stream): void {
    this.asked++
    const closer = this.knows.map(({ id, addresses }) =>
      bytesField(8, Buffer.concat([bytesField(1, id), ...addresses.map((one) => bytesField(2, one))])),
    )
    const type = Buffer.from([1 << 3, Number(messageType.findNode)])
    stream.send(framed(Buffer.concat([type, ...closer])))
  }

  async #note(key: Buffer, provider: Buffer): Promise<void> {
    const { multiaddr } = await import('@multiformats/multiaddr')
    const fields = [...fieldsOf(provider)]
    const addresses = fields.filter(([number]) => number === 2).map(([, bytes]) => multiaddr(bytes as Buffer))
    const id = fields.find(([number]) => number === 1)?.[1] as Buffer
    const written = multiaddr(Buffer.concat([Buffer.from([0xa5, 0x03, id.length]), id])).toString()
    const [, , name = ''] = written.split('/')
    this.records.push({ key: key.toString('hex'), provider: name, addresses: addresses.map(String) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.stop()
  }
}
