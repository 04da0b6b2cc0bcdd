import {
  dagCborCodec,
  dagLink,
  encodeDagValue,
  formatCid,
  rawCodec,
  sha256Code,
  cidParts,
  type Cid,
} from '@openregistry/dag'
import { KeySet } from '../gateway/key-set.ts'
import { sha256 } from '../sha256.ts'
import type { Block } from './content-blocks.ts'
import type { Seal } from './seal.ts'

/** Takes the blocks of a snapshot, each once. Bytes are valid until it resolves. */
export type PutBlock = (block: Block) => Promise<void>

/** Links of one list of blocks, on average and at most. */
const listSize = { mean: 256, most: 8192 }

/**
 * Where the blocks of a snapshot go: each once, sealed if there is a seal. Of sealed ones lists are kept, which end where the
 * hash of a block says so: lists of the same blocks are the same.
 */
export class BlockSink {
  readonly #put: PutBlock
  readonly #seal: Seal | null
  readonly #seen = new KeySet()
  #list: Cid[] = []
  readonly #lists: Cid[] = []

  constructor(put: PutBlock, seal: Seal | null) {
    this.#put = put
    this.#seal = seal
  }

  get sealed(): boolean {
    return this.#seal !== null
  }

  /** A node of the snapshot. */
  async node(bytes: Uint8Array): Promise<Cid> {
    return this.#seal === null ? this.#write(dagCborCodec, bytes) : this.#close(this.#seal, bytes)
  }

  /** A piece of content: as it is, or sealed. */
  async piece({ cid, bytes }: Block): Promise<Cid> {
    if (this.#seal !== null) return this.#close(this.#seal, bytes)
    await this.open({ cid, bytes })
    return cid
  }

  /** A block that is never sealed. */
  async open(block: Block): Promise<void> {
    if (this.#seen.add(cidParts(block.cid).digest)) await this.#put(block)
  }

  /** The lists of all sealed blocks. */
  async finishLists(): Promise<Cid[]> {
    if (this.#list.length > 0) await this.#endList()
    return this.#lists
  }

  async #close(seal: Seal, bytes: Uint8Array): Promise<Cid> {
    const sealed = seal.close(bytes)
    const hash = sha256(sealed)
    const cid = formatCid({ version: 1, codec: rawCodec, hash: sha256Code, digest: hash })
    if (!this.#seen.add(hash)) return cid
    await this.#put({ cid, bytes: sealed })
    this.#list.push(cid)
    const ends = hash[0]! % listSize.mean === 0
    if (ends || this.#list.length === listSize.most) await this.#endList()
    return cid
  }

  async #endList(): Promise<void> {
    this.#lists.push(await this.#write(dagCborCodec, encodeDagValue(this.#list.map(dagLink))))
    this.#list = []
  }

  async #write(codec: number, bytes: Uint8Array): Promise<Cid> {
    const digest = sha256(bytes)
    const cid = formatCid({ version: 1, codec, hash: sha256Code, digest })
    if (this.#seen.add(digest)) await this.#put({ cid, bytes })
    return cid
  }
}
