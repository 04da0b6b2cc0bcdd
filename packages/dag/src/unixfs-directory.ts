import type { Cid } from './cid.ts'
import { cidParts, formatCid, type CidParts } from './cid-parts.ts'
import { dagPbCodec, sha256Code } from './cid.ts'
import { encodeDagPb, type DagPbLink } from './dag-pb.ts'
import { maxDepth, nameHash, slotOf, slotPrefix } from './hamt.ts'
import { directoryData, shardData } from './unixfs-data.ts'
import type { Sha256 } from './unixfs-tree.ts'

/** An entry of a directory. */
export interface DirectoryEntry {
  /** Neither empty nor with a slash, and not `.` or `..`. */
  name: string
  cid: Cid
  /** `Tsize`: bytes of all blocks of the entry; see `unixfsDagSize` for files. */
  size: number
}

/** A directory with the blocks that it consists of; those of its entries are not among them. */
export interface UnixfsDirectory {
  cid: Cid
  /** `Tsize`: bytes of its own blocks and of all below. */
  size: number
  /** The root first, and each block in front of those below it. */
  blocks: { cid: Cid; bytes: Uint8Array }[]
}

/** Bytes of the largest node that is a directory by itself; a larger one is spread over shards. */
const nodeLimit = 256 * 1024

/** Slots of a shard. */
const fanout = 256

/**
 * The directory of profile `unixfs-v1-2025` (IPIP-499) with these entries: one node up to 256 KiB of encoded bytes, above
 * that a tree of shards with 256 slots each (HAMT). Equal entries in any order give the same CID.
 * @throws RangeError for a name that is none, or is there twice.
 */
export function unixfsDirectory(entries: Iterable<DirectoryEntry>, sha256: Sha256): UnixfsDirectory {
  const links = [...entries].map(linkOf).toSorted((a, b) => compareBytes(a.bytes, b.bytes))
  links.forEach(({ link: { name } }, index) => {
    if (links[index + 1]?.link.name === name) {
      throw new RangeError(`A directory cannot have two entries ${JSON.stringify(name)}.`)
    }
  })
  const flat = encodeDagPb({ links: links.map(({ link }) => link), data: directoryData })
  if (flat.length <= nodeLimit)
    return built(
      flat,
      links.map(({ link }) => link),
      [],
      sha256,
    )
  return shard(
    links.map(({ link }) => ({ link, hash: nameHash(link.name) })),
    0,
    sha256,
  )
}

interface Hashed {
  link: DagPbLink
  hash: bigint
}

function linkOf({ name, cid, size }: DirectoryEntry): { link: DagPbLink; bytes: Uint8Array } {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new RangeError(`No entry of a directory can be called ${JSON.stringify(name)}.`)
  }
  return { link: { name, cid: cidParts(cid), size }, bytes: new TextEncoder().encode(name) }
}

/** The order of names in a node: by their bytes, which is not the order of JavaScript's strings. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** A shard over some entries that share the slots above it. */
function shard(entries: readonly Hashed[], depth: number, sha256: Sha256): UnixfsDirectory {
  if (depth >= maxDepth(fanout)) throw new RangeError('Two names of a directory have the same hash.')
  const slots = Map.groupBy(entries, ({ hash }) => slotOf(hash, depth, fanout))
  const taken = new Uint8Array(fanout / 8)
  const links: DagPbLink[] = []
  const below: UnixfsDirectory[] = []
  for (const slot of [...slots.keys()].toSorted((a, b) => a - b)) {
    const [first, ...others] = slots.get(slot)!
    taken[taken.length - 1 - (slot >> 3)]! |= 1 << (slot & 7)
    const prefix = slotPrefix(slot, fanout)
    if (others.length === 0) {
      links.push({ ...first!.link, name: prefix + first!.link.name })
      continue
    }
    const child = shard(slots.get(slot)!, depth + 1, sha256)
    links.push({ name: prefix, cid: cidParts(child.cid), size: child.size })
    below.push(child)
  }
  const bytes = encodeDagPb({ links, data: shardData(withoutLeadingZeros(taken), fanout) })
  return built(bytes, links, below, sha256)
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return bytes.subarray(first < 0 ? bytes.length : first)
}

function built(
  bytes: Uint8Array,
  links: readonly DagPbLink[],
  below: readonly UnixfsDirectory[],
  sha256: Sha256,
): UnixfsDirectory {
  const parts: CidParts = { version: 1, codec: dagPbCodec, hash: sha256Code, digest: sha256(bytes) }
  const cid = formatCid(parts)
  const size = links.reduce((sum, link) => sum + link.size, bytes.length)
  return { cid, size, blocks: [{ cid, bytes }, ...below.flatMap(({ blocks }) => blocks)] }
}
