export { BitswapClient, type BitswapClientOptions } from './bitswap-client.ts'
export { BitswapPeer, type Answering, type BitswapPeerOptions } from './bitswap-peer.ts'
export { responseMessage } from './response-message.ts'
export { wantlistMessage, type WrittenWant } from './wantlist-message.ts'
