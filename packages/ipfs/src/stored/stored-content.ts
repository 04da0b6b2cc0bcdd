import {
  newStorageKey,
  newUploadId,
  type BlobLocation,
  type BlobStore,
  type ByteRange,
  type CommitBlob,
  type ContentHasher,
  type ObjectReader,
  type PublicBlob,
  type PublicBlobWish,
  type PublicNode,
  type RepositoryFacts,
  type StorageKey,
} from '@openregistry/core'
import { dagPbCid, rawCid, unixfsLeafSize } from '@openregistry/dag'
import { RegistryError, digestBytes, parseRepositoryName } from '@openregistry/oci'
import { sha256 } from '../sha256.ts'
import type { BlockViewPorts } from './stored-block-view.ts'

/** Bytes with what a database says of them. */
type Content = Pick<CommitBlob, 'sha256' | 'size' | 'cid' | 'leaves' | 'nodes'> & { bytes: Uint8Array }

interface Row extends Content {
  id: number
  locations: BlobLocation[]
}

/** Objects in a map, each with a fault of its own. For tests. */
class Objects {
  /** Whether bytes are taken as they come, as those of a disk. */
  trusted = true
  readonly objects = new Map<StorageKey, Uint8Array>()
  readonly faults = new Map<StorageKey, () => never>()
  readonly opened: (ByteRange | undefined)[] = []
  unclosed = 0

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    this.opened.push(range)
    this.faults.get(key)?.()
    const bytes = this.objects.get(key)
    if (bytes === undefined) return null
    const { offset, length } = range ?? { offset: 0, length: bytes.length }
    if (offset + length > bytes.length) throw new RegistryError('RANGE_INVALID')
    this.unclosed++
    const chunks = (async function* () {
      for (let at = offset; at < offset + length; at += 65_536) {
        const chunk = bytes.slice(at, Math.min(at + 65_536, offset + length))
        yield chunk
        chunk.fill(0xdd)
      }
    })()
    return { size: bytes.length, chunks, [Symbol.asyncDispose]: async () => void this.unclosed-- }
  }
}

/** Hashes on this thread. */
const hasher = {
  acquire: () => new Uint8Array(unixfsLeafSize),
  release: () => undefined,
  hashLeaf: async (leaf: Uint8Array) => sha256(leaf),
} as unknown as ContentHasher

/** A database and backends that hold what a test puts there. */
export class StoredContent {
  readonly repository: RepositoryFacts = {
    id: 'r',
    name: parseRepositoryName('me/app'),
    visibility: 'public',
  }
  readonly one = new Objects()
  readonly two = new Objects()
  readonly damaged: { state: string; key: StorageKey }[] = []
  readonly nodes = new Map<string, PublicNode>()
  leavesRead = 0
  rows: Row[] = []

  get ports(): BlockViewPorts {
    const backends = new Map([
      ['one', this.one],
      ['two', this.two],
    ]) as unknown as ReadonlyMap<string, BlobStore>
    return {
      backends,
      hasher,
      metadata: {
        readLeaves: async ({ key, first, count }) => {
          const row = this.rows.find(({ locations }) =>
            locations.some((location) => location.kind === 'object' && location.key === key),
          )
          return row?.leaves.slice(first * 32, (first + count) * 32) ?? null
        },
        findPublicBlob: (wish) => Promise.resolve(this.#find(wish)),
        findPublicNode: async (sha256) => this.nodes.get(sha256.toHex()) ?? null,
        readBlobLeaves: async (id) => {
          this.leavesRead++
          return this.rows.find((row) => row.id === id)?.leaves ?? null
        },
        recordDamage: async ({ state, at }) => {
          if (at.kind === 'inline') throw new Error('Not marked here.')
          this.damaged.push({ state, key: at.key })
          for (const row of this.rows) {
            row.locations = row.locations.filter(
              (location) => location.kind === 'inline' || location.key !== at.key,
            )
          }
          return null
        },
      },
    }
  }

  /** Puts content into backends, or into the database (`inline`). */
  put(content: Content, ...places: ('one' | 'two' | 'inline')[]): Row {
    const locations = places.map((place): BlobLocation => {
      if (place === 'inline') return { kind: 'inline', bytes: content.bytes }
      const key = newStorageKey(newUploadId())
      this[place].objects.set(key, content.bytes)
      return { kind: 'object', backend: place, key }
    })
    const row = { ...content, id: this.rows.length + 1, locations }
    this.rows.push(row)
    return row
  }

  #find(wish: PublicBlobWish): PublicBlob | null {
    for (const row of this.rows) {
      const place = wish.except.includes(row.id) ? null : placeOf(row, wish)
      if (place === null) continue
      const { id, sha256, size, locations } = row
      return { repository: this.repository, id, sha256, size, ...place, locations: [...locations] }
    }
    return null
  }
}

function placeOf(row: Row, { sha256, as }: PublicBlobWish): { level: number; index: number } | null {
  const whole = digestBytes(row.sha256).toHex() === sha256.toHex()
  if (as === 'content') return whole ? { level: 0, index: 0 } : null
  if (row.size <= unixfsLeafSize) return whole ? { level: 0, index: 0 } : null
  if (as === 'root' && row.cid !== dagPbCid(sha256) && row.cid !== rawCid(sha256)) return null
  for (const [level, packed] of [row.leaves, ...row.nodes].entries()) {
    for (let index = 0; index * 32 < packed.length; index++) {
      // Above the leaves the beginning of a hash is all that a database knows.
      const length = level === 0 ? 32 : 8
      const hash = packed.subarray(index * 32, index * 32 + length)
      if (hash.toHex() === sha256.subarray(0, length).toHex()) return { level, index }
    }
  }
  return null
}
