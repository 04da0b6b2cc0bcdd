import type { Ports } from '@openregistry/core'
import { createBlockView } from '@openregistry/ipfs'
import type { IpfsNode, NodeAddress, NodeOptions } from '@openregistry/ipfs/node'
import type { Config } from '@openregistry/server/config'
import { peerPurpose, type Keys } from '@openregistry/server/keys'
import type { Logger } from '@openregistry/server/log'
import type { Metrics } from '@openregistry/server/metrics'
import { CommandError } from './exit-codes.ts'
import { readSwarmKey } from './read-swarm-key.ts'

/** What the node needs. */
interface NodeParts {
  config: Config
  ports: Ports
  keys: Keys | null
  metrics: Metrics
  log: Logger
}

/**
 * Starts the node of IPFS where the configuration has one; else its libraries are not even loaded.
 * @param opened what ends it.
 * @returns null where there is none.
 * @throws CommandError when the swarm key is none or an address is taken; the error of the system when it cannot be read.
 */
export async function startIpfsNode(
  parts: NodeParts,
  opened: AsyncDisposableStack,
): Promise<IpfsNode | null> {
  const { config, ports, keys, metrics, log } = parts
  const { ipfs } = config
  if (!ipfs.node || keys === null) return null
  const { startNode } = await import('@openregistry/ipfs/node')
  const options: NodeOptions = {
    view: createBlockView(ports),
    seed: keys.derive(peerPurpose),
    listen: ipfs.listen,
    reachable: reachableAt(config),
    swarmKey: await readSwarmKey(ipfs.swarm_key_file),
    maxConnections: ipfs.connections,
    bootstrap: ipfs.bootstrap ?? [],
    observer: {
      sent: (bytes) => metrics.countIpfsBytes('out', bytes),
      failed: (error) => log.warn('ipfs_node_fault', { error }),
    },
  }
  const node = opened.use(await startNode(options).catch(explainStart))
  watchPeers(metrics, node)
  log.info('ipfs_node_start', { peer: node.peerId, addresses: node.addresses })
  return node
}

/** libp2p tells all that went wrong in one text, with where in its code that was. */
function explainStart(cause: unknown): never {
  const text = cause instanceof Error ? cause.message : String(cause)
  const reasons = [...text.matchAll(/: Error: (.+)/g)].map(([, reason = '']) => reason)
  const said = reasons.length > 0 ? reasons.join('; ') : text
  throw new CommandError(`the IPFS node cannot listen (ipfs.listen): ${said}`, { cause })
}

function watchPeers(metrics: Metrics, node: IpfsNode): void {
  const peers = metrics.gauge('openregistry_ipfs_peers', 'Nodes that are connected to this one.')
  metrics.watch([peers], () => peers.set(node.peers()))
}

/** Where clients find the registry, the node is found as well, at its own port. */
function reachableAt({ http, ipfs }: Config): NodeAddress[] {
  if (http.public_url === null) return []
  const host = new URL(http.public_url).hostname.replace(/^\[(.*)\]$/, '$1')
  return [...new Set(ipfs.listen.map(({ port }) => port))]
    .filter((port) => port !== 0)
    .map((port) => ({ host, port }))
}
