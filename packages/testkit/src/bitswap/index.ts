export { BitswapClient, type BitswapClientOptions } from './bitswap-client.ts'
export { wantlistMessage, type WrittenWant } from './wantlist-message.ts'
