import type { Cid } from '../cid.ts'
import type { Sha256 } from '../unixfs-tree.ts'
import { dagLink, encodeDagValue, type DagValue } from './tree-node.ts'

/*
 * Rows in the order of their keys, in nodes of some hundred. Where a node begins is decided by the hash of its first key
 * alone, so a row that is new or changed changes the nodes on the way to it, and all others are those of the tree before:
 * whoever has that one needs a few more blocks. The same rows always make the same tree.
 */

/** How many entries nodes have on average; on every level other bytes of the hash are asked. */
const meanEntries = 256

/** Bytes of entries after which a node ends in any case: a block has at most 2 MiB. */
const sizeLimit = 768 * 1024

/** Levels that a hash is enough for; more rows than anybody has. */
const levelLimit = 8

/** Takes the bytes of a node, and says under which CID they will be found. */
export type PutNode = (bytes: Uint8Array) => Promise<Cid>

interface OpenNode {
  entries: [key: string, value: DagValue][]
  size: number
}

/** Writes a tree while its rows come; memory is one node for each level. */
export class SortedTreeWriter {
  readonly #put: PutNode
  readonly #sha256: Sha256
  readonly #levels: OpenNode[] = [{ entries: [], size: 0 }]

  constructor(put: PutNode, sha256: Sha256) {
    this.#put = put
    this.#sha256 = sha256
  }

  /**
   * Adds a row.
   * @param key after all keys that were added before.
   * @throws RangeError when it is not.
   */
  async add(key: string, value: DagValue): Promise<void> {
    const last = this.#levels[0]!.entries.at(-1)
    if (last !== undefined && key <= last[0]) throw new RangeError(`The key ${key} comes after ${last[0]}.`)
    await this.#add(0, key, value)
  }

  /** Ends the tree. @returns its root; a tree without rows has one, too. */
  async finish(): Promise<Cid> {
    for (let level = 0; ; level++) {
      const node = this.#levels[level]!
      if (level === this.#levels.length - 1) return this.#close(level)
      const [first] = node.entries
      await this.#add(level + 1, first![0], dagLink(await this.#close(level)))
    }
  }

  async #add(level: number, key: string, value: DagValue): Promise<void> {
    const node = (this.#levels[level] ??= { entries: [], size: 0 })
    const size = key.length + (level === 0 ? encodeDagValue(value).length : 48)
    const [first] = node.entries
    if (first !== undefined && (node.size + size > sizeLimit || this.#begins(level, key))) {
      const closed = await this.#close(level)
      node.entries = []
      node.size = 0
      await this.#add(level + 1, first[0], dagLink(closed))
    }
    node.entries.push([key, value])
    node.size += size
  }

  #begins(level: number, key: string): boolean {
    if (level >= levelLimit) return false
    const hash = this.#sha256(new TextEncoder().encode(key))
    return (hash[level * 2]! * 256 + hash[level * 2 + 1]!) % meanEntries === 0
  }

  #close(level: number): Promise<Cid> {
    const { entries } = this.#levels[level]!
    return this.#put(encodeDagValue(level === 0 ? { rows: entries } : { nodes: entries }))
  }
}
