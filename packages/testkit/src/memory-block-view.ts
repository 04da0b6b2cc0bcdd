import { createHash } from 'node:crypto'
import type { ByteRange, ObjectReader } from '@openregistry/core'
import {
  formatCid,
  rawCid,
  unixfsDagSize,
  unixfsDirectory,
  unixfsLeafSize,
  unixfsNode,
  unixfsTree,
  type Cid,
  type DirectoryEntry,
} from '@openregistry/dag'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

/** A blob in memory as the file that IPFS sees. */
class MemoryFile {
  readonly size: number
  readonly leaves: Uint8Array
  readonly nodes: readonly Uint8Array[]
  readonly cid: Cid
  readonly #bytes: Uint8Array
  readonly #view: MemoryBlockView

  constructor(bytes: Uint8Array, view: MemoryBlockView) {
    this.#bytes = bytes
    this.#view = view
    this.size = bytes.length
    const leaves: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += unixfsLeafSize)
      leaves.push(sha256(bytes.subarray(at, at + unixfsLeafSize)))
    this.leaves = Buffer.concat(leaves)
    const tree = unixfsTree({ size: this.size, leaves: this.leaves, sha256: sha256(bytes) }, sha256)
    this.nodes = tree.nodes
    this.cid = tree.cid
  }

  open({ offset, length }: ByteRange = { offset: 0, length: this.size }): Promise<ObjectReader> {
    this.#view.opened.push({ offset, length })
    const { chunkSize } = this.#view
    const part = this.#bytes.subarray(offset, offset + length)
    const view = this.#view
    view.open++
    return Promise.resolve({
      size: this.size,
      chunks: (async function* () {
        // One buffer that is written again, as drivers have it.
        const buffer = new Uint8Array(chunkSize)
        for (let at = 0; at < part.length; at += chunkSize) {
          await view.beforeChunk?.()
          if (offset + at >= view.failAt) throw new Error('The backend is away.')
          const chunk = part.subarray(at, at + chunkSize)
          buffer.set(chunk)
          yield buffer.subarray(0, chunk.length)
          buffer.fill(0xee)
        }
      })(),
      [Symbol.asyncDispose]: () => Promise.resolve(void view.open--),
    })
  }
}

/**
 * The block view of `packages/ipfs` over a few things in memory: what the surfaces of IPFS are tested with. Content can be
 * taken away, as when a repository becomes private.
 */
export class MemoryBlockView {
  /** Ranges of blobs that were read. */
  readonly opened: ByteRange[] = []
  /** Readers that nobody has closed yet. */
  open = 0
  /** Blocks that were read by themselves. */
  blocksRead = 0
  /** Blocks that nobody has given back yet. */
  lent = 0
  /** Bytes that a reader of a blob hands out at a time. */
  chunkSize = 300_000
  /** Waited for before each chunk of a blob: a gate that a test opens. */
  beforeChunk: (() => Promise<void>) | null = null
  /** Blobs cannot be read from this offset on. */
  failAt = Infinity
  readonly #blocks = new Map<string, () => Uint8Array>()
  readonly #files = new Map<string, MemoryFile>()
  readonly #blobs = new Map<string, MemoryFile>()

  /** Adds a blob. @returns its entry for a directory, without a name. */
  addBlob(bytes: Uint8Array): { cid: Cid; size: number } {
    const file = new MemoryFile(bytes, this)
    this.#blobs.set(hex(sha256(bytes)), file)
    for (let at = 0; at < bytes.length; at += unixfsLeafSize)
      this.addBlock(bytes.subarray(at, at + unixfsLeafSize))
    if (bytes.length === 0) this.addBlock(bytes)
    file.nodes.forEach((packed, level) => {
      for (let index = 0; index * 32 < packed.length; index++) {
        const node = unixfsNode(file, level + 1, index, sha256)
        this.#blocks.set(hex(sha256(node)), () => node)
      }
    })
    const root = file.nodes.at(-1) ?? sha256(bytes)
    this.#files.set(hex(root), file)
    return { cid: file.cid, size: unixfsDagSize(bytes.length) }
  }

  /** Adds a block that is no part of a blob. @returns its CID as raw bytes. */
  addBlock(bytes: Uint8Array): Cid {
    const hash = sha256(bytes)
    this.#blocks.set(hex(hash), () => bytes)
    return rawCid(hash)
  }

  /** Adds a block of some codec. */
  addNode(codec: number, bytes: Uint8Array): Cid {
    this.addBlock(bytes)
    return formatCid({ version: 1, codec, hash: 0x12, digest: sha256(bytes) })
  }

  /** Adds a directory. @returns its entry for another one, without a name. */
  addDirectory(entries: readonly DirectoryEntry[]): { cid: Cid; size: number } {
    const { cid, size, blocks } = unixfsDirectory(entries, sha256)
    for (const { bytes } of blocks) this.addBlock(bytes)
    return { cid, size }
  }

  /** Takes a block away, and whatever has it as its root. */
  hide(hash: Uint8Array): void {
    for (const known of [this.#blocks, this.#files, this.#blobs]) known.delete(hex(hash))
  }

  block(hash: Uint8Array): Promise<Uint8Array | null> {
    this.blocksRead++
    return Promise.resolve(this.#blocks.get(hex(hash))?.() ?? null)
  }

  /** As a view does that lends memory: what was given back holds something else at once. */
  async lend(hash: Uint8Array): Promise<{ bytes: Uint8Array; release: () => void } | null> {
    const block = await this.block(hash)
    if (block === null) return null
    // A Buffer's own `slice` would not copy.
    const bytes = Uint8Array.from(block)
    this.lent++
    const release = (): void => {
      this.lent--
      bytes.fill(0xee)
    }
    return { bytes, release }
  }

  blockSize(hash: Uint8Array): Promise<number | null> {
    return Promise.resolve(this.#blocks.get(hex(hash))?.().length ?? null)
  }

  file(hash: Uint8Array): Promise<MemoryFile | null> {
    return Promise.resolve(this.#files.get(hex(hash)) ?? null)
  }

  blob(hash: Uint8Array): Promise<MemoryFile | null> {
    return Promise.resolve(this.#blobs.get(hex(hash)) ?? null)
  }
}
