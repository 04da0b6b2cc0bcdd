import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  carFrameHead,
  carHeader,
  cidParts,
  dagCborCodec,
  encodeCid,
  formatCid,
  sha256Code,
  type Cid,
} from '@openregistry/dag'
import type { Block } from '@openregistry/ipfs'

/** Stands where the root will: every root is as long. */
const noRoot = formatCid({ version: 1, codec: dagCborCodec, hash: sha256Code, digest: new Uint8Array(32) })

/**
 * Writes a CAR whose root is known last. Under its name there is the whole of it or nothing: until it is finished it has
 * another one.
 */
export class CarWriter implements AsyncDisposable {
  readonly #file: string
  readonly #bases: readonly Cid[]
  readonly #unfinished: string
  readonly #stream: WriteStream
  #size = 0
  #fault: Error | null = null
  #finished = false

  private constructor(file: string, bases: readonly Cid[], unfinished: string, stream: WriteStream) {
    this.#file = file
    this.#bases = bases
    this.#unfinished = unfinished
    this.#stream = stream
    stream.on('error', (error) => (this.#fault = error))
  }

  /**
   * Begins. What is left of one that was interrupted is written over.
   * @param bases snapshots whose blocks are left out: they are named behind the root.
   * @throws the error of the system.
   */
  static async create(file: string, bases: readonly Cid[] = []): Promise<CarWriter> {
    const unfinished = `${file}.unfinished`
    // Whoever can read it reads what is in the registry.
    const stream = createWriteStream(unfinished, { mode: 0o600 })
    await once(stream, 'open')
    const writer = new CarWriter(file, bases, unfinished, stream)
    await writer.#write(carHeader([noRoot, ...bases]))
    return writer
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Adds a block, whose bytes are free afterwards. @throws the error of the system. */
  async add({ cid, bytes }: Block): Promise<void> {
    await this.#write(carFrameHead(encodeCid(cidParts(cid)), bytes.length))
    await this.#write(bytes)
  }

  /** Names the root, and gives the file its name once all of it is on the disk. */
  async finish(root: Cid): Promise<void> {
    this.#stream.end()
    await once(this.#stream, 'close')
    if (this.#fault !== null) throw this.#fault
    {
      await using handle = await open(this.#unfinished, 'r+')
      await handle.write(carHeader([root, ...this.#bases]), 0, undefined, 0)
      await handle.sync()
    }
    await rename(this.#unfinished, this.#file)
    await using folder = await open(dirname(this.#file), 'r')
    await folder.sync()
    this.#finished = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished) return
    this.#stream.destroy()
    await rm(this.#unfinished, { force: true })
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#fault !== null) throw this.#fault
    this.#size += bytes.length
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#stream.write(bytes, (error) => (error == null ? resolve() : reject(error)))
    await promise
  }
}
