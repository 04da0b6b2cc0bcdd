import type { MetadataStore, PublicBlob } from '@openregistry/core'
import { unixfsLeafSize, unixfsTree } from '@openregistry/dag'
import { digestBytes, type Digest } from '@openregistry/oci'
import { sha256 as sha256Of } from '../sha256.ts'

/** The hashes of all blocks of a blob. */
export interface Tree {
  /** In bytes. */
  readonly size: number
  /** Packed, 32 bytes each; empty content has none. */
  readonly leaves: Uint8Array
  /** Of each level above the leaves, level 1 first, packed. None up to 1 MiB. */
  readonly nodes: readonly Uint8Array[]
}

/**
 * Trees of blobs that were asked for last, up to a number of bytes. They are what they are: kept under the digest of the
 * content, they say nothing of who may see it. That is asked of the database every time.
 */
export class TreeCache {
  readonly #metadata: Pick<MetadataStore, 'readBlobLeaves'>
  readonly #room: number
  /** In the order in which they were used last. */
  readonly #trees = new Map<Digest, Tree>()
  #bytes = 0

  /** @param room bytes that all trees together may take, one that is larger by itself excepted. */
  constructor(metadata: Pick<MetadataStore, 'readBlobLeaves'>, room: number) {
    this.#metadata = metadata
    this.#room = room
  }

  /** The tree of a blob; null when its row went away, or its hashes are not of its size. */
  async of({ id, sha256, size }: Pick<PublicBlob, 'id' | 'sha256' | 'size'>): Promise<Tree | null> {
    const whole = digestBytes(sha256)
    if (size <= unixfsLeafSize) return { size, leaves: size === 0 ? new Uint8Array(0) : whole, nodes: [] }
    const known = this.#trees.get(sha256)
    if (known?.size === size) return this.#use(sha256, known)
    const leaves = await this.#metadata.readBlobLeaves(id)
    if (leaves === null || leaves.length !== 32 * Math.ceil(size / unixfsLeafSize)) return null
    const { nodes } = unixfsTree({ size, sha256: whole, leaves }, sha256Of)
    return this.#use(sha256, { size, leaves, nodes })
  }

  /** Forgets a tree that turned out to be wrong: its row may have been corrected. */
  forget(sha256: Digest): void {
    const tree = this.#trees.get(sha256)
    if (tree === undefined) return
    this.#trees.delete(sha256)
    this.#bytes -= weightOf(tree)
  }

  #use(sha256: Digest, tree: Tree): Tree {
    this.forget(sha256)
    this.#trees.set(sha256, tree)
    this.#bytes += weightOf(tree)
    for (const oldest of this.#trees.keys()) {
      if (this.#bytes <= this.#room || oldest === sha256) break
      this.forget(oldest)
    }
    return tree
  }
}

function weightOf({ leaves, nodes }: Tree): number {
  return nodes.reduce((sum, level) => sum + level.length, leaves.length)
}
