import { murmur364 } from '@multiformats/murmur3'

const encoder = new TextEncoder()

/**
 * The hash that says where a name lies in a directory of shards: murmur3-x64-64, 64 bits of which each level of shards
 * takes some, the highest first.
 */
export function nameHash(name: string): bigint {
  const bytes = murmur364.encode(encoder.encode(name))
  if (!(bytes instanceof Uint8Array)) throw new TypeError('The hash function is not there at once.')
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** Levels that 64 bits are enough for. */
export function maxDepth(fanout: number): number {
  return Math.floor(64 / Math.log2(fanout))
}

/** The slot of a name in a shard. @param depth of the shard; the first one has 0. */
export function slotOf(hash: bigint, depth: number, fanout: number): number {
  const bits = Math.log2(fanout)
  return Number((hash >> BigInt(64 - (depth + 1) * bits)) & BigInt(fanout - 1))
}

/** What the name of every link in a slot begins with. */
export function slotPrefix(slot: number, fanout: number): string {
  return slot.toString(16).toUpperCase().padStart(prefixLength(fanout), '0')
}

/** Characters of {@link slotPrefix}. */
export function prefixLength(fanout: number): number {
  return (fanout - 1).toString(16).length
}
