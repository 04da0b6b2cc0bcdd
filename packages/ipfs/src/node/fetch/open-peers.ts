import type { Connection, Libp2p } from '@libp2p/interface'
import type { NamedSource } from '../../client/named-source.ts'
import type { PeerAddress } from '../../client/peer-address.ts'
import { ByteBudget } from '../bitswap/byte-budget.ts'
import { bitswapProtocols } from '../bitswap/protocols.ts'
import { BlockConnection, longestAnswer, type ConnectionParts } from './block-connection.ts'
import { startDialingNode } from './dialing-node.ts'
import { explainDial } from './explain-dial.ts'
import { PeerSource } from './peer-source.ts'

/** Milliseconds that things may take. */
export interface FetchLimits {
  /** A connection, with all that belongs to it. */
  readonly dial: number
  /** A block, from the moment that it was asked for. */
  readonly block: number
  /** How long a peer is left alone that was not there, or did not keep to the protocol. */
  readonly rest: number
}

const usual: FetchLimits = { dial: 10_000, block: 30_000, rest: 10_000 }

/** Milliseconds that stopping may take; then connections are cut. */
const stopLimit = 5000

/** Streams on which one peer may answer at a time; Kubo uses one. */
const maxInboundStreams = 4

/** How peers are asked. */
export interface PeersOptions {
  /** The contents of a `swarm.key`: only peers that have it as well are asked. Null: peers of the open network. */
  readonly swarmKey: Uint8Array | null
  readonly limits?: Partial<FetchLimits>
}

/** Peers of the network that are asked for blocks. Disposing ends all connections. */
export interface Peers extends AsyncDisposable {
  /** A peer that may have blocks. */
  source(address: PeerAddress): NamedSource
}

/**
 * Asks peers for blocks by Bitswap, at the addresses that are given and nowhere else: nobody is looked for, and nothing is given
 * to anybody. The libraries load, and connections are made, with the first question.
 */
export function openPeers({ swarmKey, limits = {} }: PeersOptions): Peers {
  const { dial, block, rest } = { ...usual, ...limits }
  const parts = { incoming: new ByteBudget(4 * longestAnswer), patience: block }
  const connections = new WeakMap<Connection, BlockConnection>()
  let started: Promise<Libp2p> | null = null
  const start = async (): Promise<Libp2p> => {
    const node = await startDialingNode({ swarmKey, dialLimit: dial })
    await handleAnswers(node, connections)
    return node
  }
  const connect = async ({ text }: PeerAddress): Promise<BlockConnection> => {
    const node = await (started ??= start())
    const { multiaddr } = await import('@multiformats/multiaddr')
    const signal = AbortSignal.timeout(dial)
    const connection = await node.dial(multiaddr(text), { signal }).catch((error: unknown) => {
      return explainDial(error, { limit: dial, isPrivate: swarmKey !== null })
    })
    return blockConnection(connections, connection, parts)
  }
  return {
    source: (address) => new PeerSource(address, { connect: () => connect(address), rest }),
    async [Symbol.asyncDispose]() {
      const node = await started?.catch(() => null)
      if (node == null) return
      await Promise.race([node.stop(), new Promise((resolve) => setTimeout(resolve, stopLimit).unref())])
    },
  }
}

/** Answers come on streams that the peers open. */
async function handleAnswers(node: Libp2p, connections: WeakMap<Connection, BlockConnection>): Promise<void> {
  await node.handle(
    [...bitswapProtocols],
    async (stream, connection) => {
      const known = connections.get(connection)
      // Nothing was asked of it yet, so it wants something itself.
      if (known === undefined) stream.abort(new Error('Nothing is given here.'))
      else await known.receive(stream)
    },
    { maxInboundStreams, maxOutboundStreams: 1 },
  )
}

/** The same for the same connection: a peer may be named by two addresses. */
function blockConnection(
  connections: WeakMap<Connection, BlockConnection>,
  connection: Connection,
  parts: ConnectionParts,
): BlockConnection {
  const known = connections.get(connection)
  if (known !== undefined) return known
  const made = new BlockConnection(connection, parts)
  connections.set(connection, made)
  return made
}
