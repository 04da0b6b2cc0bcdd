import {
  isForEverybody,
  openLocation,
  type BlobLocation,
  type ByteRange,
  type MetadataStore,
  type ObjectReader,
  type Ports,
  type PublicBlob,
} from '@openregistry/core'
import { unixfsLeafSize, unixfsNode } from '@openregistry/dag'
import { RegistryError, digestBytes } from '@openregistry/oci'
import type { BlockView, FileView, LentBlock } from '../block-view.ts'
import { sha256 as sha256Of } from '../sha256.ts'
import { BlockMemory } from './block-memory.ts'
import { atEachPlace } from './each-place.ts'
import { hasSha256 } from './has-sha256.ts'
import { openPlace, type Lost } from './open-place.ts'
import { readVerified } from './read-verified.ts'
import { TreeCache, type Tree } from './tree-cache.ts'

/** What the view stands on. */
export interface BlockViewPorts {
  metadata: Pick<
    MetadataStore,
    'findPublicBlob' | 'findPublicNode' | 'readBlobLeaves' | 'readLeaves' | 'recordDamage'
  >
  backends: Ports['backends']
  hasher: Ports['hasher']
}

/** Bytes of hashes that are kept: the trees of a terabyte. */
const defaultRoom = 32 * 2 ** 20

/** Blobs with a block of the wanted hash that are tried; another one is only tried when the first cannot be read. */
const triesAtMost = 16

/** What a view may be given. */
export interface BlockViewOptions {
  /** Bytes of trees that are kept in memory. */
  room?: number
  /** Where blocks are lent. */
  memory?: BlockMemory
}

/**
 * The block view over stored blobs. Leaves are ranges of a blob where it lies, nodes are derived from the packed hashes, and
 * nothing is stored twice. Every block is hashed before it is given away.
 */
export function createBlockView(ports: BlockViewPorts, options: BlockViewOptions = {}): BlockView {
  const { room = defaultRoom, memory = new BlockMemory() } = options
  return new StoredBlockView(ports, room, memory)
}

class StoredBlockView implements BlockView {
  readonly #ports: BlockViewPorts
  readonly #trees: TreeCache
  readonly #memory: BlockMemory

  constructor(ports: BlockViewPorts, room: number, memory: BlockMemory) {
    this.#ports = ports
    this.#memory = memory
    this.#trees = new TreeCache(ports.metadata, room)
  }

  async block(sha256: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    const lent = await this.lend(sha256, options)
    if (lent === null || lent.release === null) return lent?.bytes ?? null
    const bytes = lent.bytes.slice()
    lent.release()
    return bytes
  }

  async lend(sha256: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<LentBlock | null> {
    let fault: unknown = null
    for await (const blob of this.#holders(sha256, 'block', true)) {
      signal?.throwIfAborted()
      try {
        const block = blob.level === 0 ? await this.#leaf(sha256, blob) : kept(await this.#node(sha256, blob))
        if (block !== null) return block
      } catch (error) {
        fault ??= error
      }
    }
    const node = await this.#directoryNode(sha256)
    if (node === null && fault !== null) throw fault
    return kept(node)
  }

  async blockSize(sha256: Uint8Array): Promise<number | null> {
    for await (const blob of this.#holders(sha256, 'block', false)) {
      if (blob.level > 0) {
        const node = await this.#node(sha256, blob)
        if (node !== null) return node.length
      } else if (blob.locations.length > 0) return leafRange(blob).length
    }
    return (await this.#directoryNode(sha256))?.length ?? null
  }

  async file(root: Uint8Array): Promise<FileView | null> {
    for await (const blob of this.#holders(root, 'root', false)) {
      // The root of a larger one is the only block of its highest level.
      if (blob.level > 0 && (await this.#node(root, blob)) === null) continue
      const view = await this.#view(blob)
      if (view !== null) return view
    }
    return null
  }

  async blob(sha256: Uint8Array): Promise<FileView | null> {
    for await (const blob of this.#holders(sha256, 'content', false)) {
      const view = await this.#view(blob)
      if (view !== null) return view
    }
    return null
  }

  /** Blobs with what has this hash that everybody may see, one after another. */
  async *#holders(
    sha256: Uint8Array,
    as: 'block' | 'root' | 'content',
    bytes: boolean,
  ): AsyncGenerator<PublicBlob, void, undefined> {
    const except: number[] = []
    while (except.length < triesAtMost) {
      const blob = await this.#ports.metadata.findPublicBlob({ sha256, as, except, bytes })
      if (blob === null) return
      if (isForEverybody(blob.repository)) yield blob
      except.push(blob.id)
    }
  }

  /** A leaf, from the first of its places that gives the right bytes. */
  async #leaf(sha256: Uint8Array, found: PublicBlob): Promise<LentBlock | null> {
    const { metadata, hasher } = this.#ports
    let first: PublicBlob | null = found
    const find = async (): Promise<PublicBlob | null> => {
      const blob = first ?? (await this.#again(found))
      first = null
      return blob
    }
    const range = leafRange(found)
    return atEachPlace(metadata, find, async (location, { size }) => {
      if (location.kind === 'inline') {
        const bytes = location.bytes.subarray(range.offset, range.offset + range.length)
        const isRight = location.bytes.length === size && hasSha256(bytes, sha256)
        return isRight ? { bytes, release: null } : 'damaged'
      }
      const reader = await openPlace(this.#ports, location, size, range)
      if (typeof reader === 'string') return reader
      const reading = { hasher, memory: this.#memory }
      return (await readVerified(reader, range.length, sha256, reading)) ?? 'damaged'
    })
  }

  /** A node, derived. Null when the blob has no such node after all, only one whose hash begins alike. */
  async #node(sha256: Uint8Array, blob: PublicBlob): Promise<Uint8Array | null> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      const tree = await this.#trees.of(blob)
      if (tree === null) return null
      const bytes = deriveNode(tree, blob)
      if (bytes !== null && hasSha256(bytes, sha256)) return bytes
      this.#trees.forget(blob.sha256)
    }
    return null
  }

  async #directoryNode(sha256: Uint8Array): Promise<Uint8Array | null> {
    const node = await this.#ports.metadata.findPublicNode(sha256)
    if (node === null || !isForEverybody(node.repository)) return null
    return hasSha256(node.bytes, sha256) ? node.bytes : null
  }

  async #view(blob: PublicBlob): Promise<FileView | null> {
    if (blob.locations.length === 0) return null
    const tree = await this.#trees.of(blob)
    if (tree === null) return null
    return {
      ...tree,
      open: async (range) => {
        // Asked again: who may see it is a matter of the moment in which it is read.
        const reader = await atEachPlace(
          this.#ports.metadata,
          () => this.#again(blob),
          (location) => this.#openWhole(location, blob.size, range),
        )
        if (reader === null) throw new RegistryError('BLOB_UNKNOWN')
        return reader
      },
    }
  }

  /** A blob where it lies. Nobody hashes it after this, so what comes from a backend that is not trusted was compared before. */
  #openWhole(
    location: BlobLocation,
    size: number,
    range: ByteRange | undefined,
  ): Promise<ObjectReader | Lost> {
    if (location.kind === 'inline') return openPlace(this.#ports, location, size, range)
    return openLocation(this.#ports, { location, size, range: range ?? null })
  }

  /** The same blob as it is now. */
  async #again({ sha256 }: PublicBlob): Promise<PublicBlob | null> {
    const wish = { sha256: digestBytes(sha256), as: 'content', except: [], bytes: true } as const
    const blob = await this.#ports.metadata.findPublicBlob(wish)
    return blob !== null && isForEverybody(blob.repository) ? blob : null
  }
}

function kept(bytes: Uint8Array | null): LentBlock | null {
  return bytes && { bytes, release: null }
}

function leafRange({ index, size }: PublicBlob): { offset: number; length: number } {
  const offset = index * unixfsLeafSize
  return { offset, length: Math.min(unixfsLeafSize, size - offset) }
}

function deriveNode(tree: Tree, { level, index }: PublicBlob): Uint8Array | null {
  if (level > tree.nodes.length || index * 32 >= tree.nodes[level - 1]!.length) return null
  return unixfsNode(tree, level, index, sha256Of)
}
