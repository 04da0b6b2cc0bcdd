export { findIpfsPeer, requireIpfsPeer, type IpfsPeer } from './find-ipfs-peer.ts'
export * from './kubo-node.ts'
export * from './with-kubo.ts'
