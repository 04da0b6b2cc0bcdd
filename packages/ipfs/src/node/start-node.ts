import type { PrivateKey } from '@libp2p/interface'
import type { PeerNetwork } from '@openregistry/core'
import type { BlockView } from '../block-view.ts'
import type { BitswapObserver } from './bitswap/peer-session.ts'
import { serveBitswap } from './bitswap/serve-bitswap.ts'
import { Announcer } from './dht/announcer.ts'
import { connectionProtector } from './connection-protector.ts'
import { boundedMuxer } from './memory/bounded-muxer.ts'
import { PeerMemory } from './memory/peer-memory.ts'
import { tcpMultiaddr, type NodeAddress } from './node-addresses.ts'
import { answerPings } from './ping/answer-pings.ts'

/** What a node is made of. */
export interface NodeOptions {
  /** What everybody may see; nothing else ever leaves. */
  readonly view: BlockView
  /** 32 bytes, from which the Ed25519 key of the node comes: its name among the others. */
  readonly seed: Uint8Array
  readonly listen: readonly NodeAddress[]
  /** Where others reach it besides, as the node tells those who are connected. */
  readonly reachable: readonly NodeAddress[]
  /** The contents of a `swarm.key`: only nodes that have it as well can connect. */
  readonly swarmKey: Uint8Array | null
  /** Connections at one time. */
  readonly maxConnections: number
  /** Bytes that all connections together may hold with what nobody has read, and answers that they do not take. */
  readonly peerMemory?: number
  readonly observer: BitswapObserver
  /** Multiaddrs of the peers by which it gets into the DHT when something is to be announced. */
  readonly bootstrap: readonly string[]
}

/** A node of the network. Disposing ends it. */
export interface IpfsNode extends AsyncDisposable, PeerNetwork {
  readonly peerId: string
  /** Where it can be reached, as `/ip4/127.0.0.1/tcp/4001/p2p/12D3…`. */
  readonly addresses: readonly string[]
  /** Peers that are connected now. */
  peers(): number
}

/** Streams that one connection may open at a time, whatever for. */
const maxInboundStreams = 16

/** Bytes that a stream may have under way to here. All that arrives are questions, so it need not grow. */
const streamWindow = 256 * 2 ** 10

const defaultPeerMemory = 32 * 2 ** 20

/** Milliseconds that stopping may take; then connections are cut. */
const stopLimit = 5000

/**
 * Starts a node that speaks libp2p over TCP and gives blocks away by Bitswap. It looks for nobody, unless something
 * is to be announced: whoever wants something connects to it. The libraries load with the first call.
 * @throws the error of the system when an address is taken; Error when the swarm key, or an address of the bootstrap, is none.
 */
export async function startNode(options: NodeOptions): Promise<IpfsNode> {
  const { observer, view, bootstrap } = options
  const node = await createNode(options)
  // Whoever was connected is forgotten when it leaves, or strangers could fill the memory with themselves.
  node.addEventListener('peer:disconnect', ({ detail }) => {
    void node.peerStore.delete(detail).catch((error: unknown) => observer.failed(error))
  })
  let announcer: Announcer
  try {
    announcer = await Announcer.load(node, bootstrap)
    await serveBitswap(node, view, observer)
    await answerPings(node)
    await node.start()
  } catch (error) {
    await node.stop()
    throw error
  }
  return {
    peerId: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(String),
    peers: () => node.getPeers().length,
    announce: (digest, how) => announcer.announce(digest, how),
    async [Symbol.asyncDispose]() {
      await Promise.race([node.stop(), new Promise((resolve) => setTimeout(resolve, stopLimit).unref())])
    },
  }
}

async function createNode(options: NodeOptions) {
  const { seed, listen, reachable, swarmKey, maxConnections, peerMemory = defaultPeerMemory } = options
  const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { identify }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@libp2p/noise'),
    import('@libp2p/yamux'),
    import('@libp2p/identify'),
  ])
  const streamOptions = {
    ...{ initialStreamWindowSize: streamWindow, maxStreamWindowSize: streamWindow },
    maxReadBufferLength: 2 * streamWindow,
  }
  const muxers = yamux({ maxInboundStreams, maxOutboundStreams: maxInboundStreams, streamOptions })
  const protector = await connectionProtector(swarmKey)
  return createLibp2p({
    start: false,
    privateKey: await keyOf(seed),
    nodeInfo: { name: 'openregistry', userAgent: 'openregistry' },
    addresses: { listen: listen.map(tcpMultiaddr), appendAnnounce: reachable.map(tcpMultiaddr) },
    transports: [tcp({ maxConnections, backlog: 128 })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => boundedMuxer(muxers(), { memory: new PeerMemory(peerMemory), window: streamWindow }),
    ],
    // Of a balancer all connections come from one host.
    connectionManager: {
      ...{ maxConnections, reconnectRetries: 0 },
      inboundConnectionThreshold: maxConnections,
    },
    // Who connects is asked nothing: libp2p reads such answers without a bound, and they are of no use here.
    services: { identify: identify({ runOnConnectionOpen: false }) },
    ...(protector === null ? {} : { connectionProtector: protector }),
  })
}

async function keyOf(seed: Uint8Array): Promise<PrivateKey> {
  const { generateKeyPairFromSeed } = await import('@libp2p/crypto/keys')
  return generateKeyPairFromSeed('Ed25519', seed)
}
