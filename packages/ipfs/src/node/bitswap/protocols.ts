/**
 * What is spoken, the best first. 1.2 has questions whether a block is there, and answers that it is not. In 1.1 whoever wants
 * a block asks for it, and hears nothing when it is not there. 1.0 knows no CIDs of version 1, which are all that is here.
 */
export const bitswapProtocols = ['/ipfs/bitswap/1.2.0', '/ipfs/bitswap/1.1.0'] as const

/** Whether a protocol has answers without the block. */
export const hasPresences = (protocol: string): boolean => protocol === bitswapProtocols[0]
