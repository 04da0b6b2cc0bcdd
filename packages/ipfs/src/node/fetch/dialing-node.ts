import type { Libp2p } from '@libp2p/interface'
import { connectionProtector } from '../connection-protector.ts'
import { answerPings } from '../ping/answer-pings.ts'

/** Bytes that a stream may have under way to here, once it is fast: blocks of 1 MiB. */
const streamWindow = 2 * 2 ** 20

/** Streams that a peer may open at a time, whatever for. */
const maxInboundStreams = 8

/** How such a node is. */
export interface DialingOptions {
  /** The contents of a `swarm.key`, or null. */
  readonly swarmKey: Uint8Array | null
  /** Milliseconds that a connection may take to be made. */
  readonly dialLimit: number
}

/**
 * A node that listens nowhere and connects only to addresses that it is given. Its name is a new one: with that of a server of
 * ours peers could send to that one what was asked for here. The libraries load with the call.
 * @throws Error when the swarm key is none.
 */
export async function startDialingNode({ swarmKey, dialLimit }: DialingOptions): Promise<Libp2p> {
  const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { identify }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@libp2p/noise'),
    import('@libp2p/yamux'),
    import('@libp2p/identify'),
  ])
  const streamOptions = { maxStreamWindowSize: streamWindow, maxReadBufferLength: 2 * streamWindow }
  const protector = await connectionProtector(swarmKey)
  const node = await createLibp2p({
    nodeInfo: { name: 'openregistry', userAgent: 'openregistry' },
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams, streamOptions })],
    connectionManager: { reconnectRetries: 0, dialTimeout: dialLimit, addressDialTimeout: dialLimit },
    services: { identify: identify({ runOnConnectionOpen: false }) },
    ...(protector === null ? {} : { connectionProtector: protector }),
  })
  await answerPings(node)
  return node
}
