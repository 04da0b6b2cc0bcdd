export type { BitswapObserver } from './bitswap/peer-session.ts'
export type { NodeAddress } from './node-addresses.ts'
export { startNode, type IpfsNode, type NodeOptions } from './start-node.ts'
export { openPeers, type Peers, type PeersOptions } from './fetch/open-peers.ts'
