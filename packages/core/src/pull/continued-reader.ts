import type { ByteRange, ObjectReader } from '../ports/blob-store.ts'
import { isAway } from './is-away.ts'
import { openLocation, type ObjectLocation, type OpenLocationPorts } from './open-location.ts'

/**
 * Reads a blob, and goes on at another place where its backend fails on the way: all of them have the same bytes, and a
 * client that has half of a layer gets the rest.
 */
export class ContinuedReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly #ports: OpenLocationPorts
  readonly #others: ObjectLocation[]
  #reader: ObjectReader
  #rest: ByteRange
  #closed = false

  /**
   * @param reader what was opened for this range.
   * @param others places that were not tried yet.
   */
  constructor(
    ports: OpenLocationPorts,
    reader: ObjectReader,
    range: ByteRange | null,
    others: readonly ObjectLocation[],
  ) {
    this.#ports = ports
    this.#reader = reader
    this.#rest = range ?? { offset: 0, length: reader.size }
    this.#others = [...others]
    this.size = reader.size
    this.chunks = this.#read()
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      let fault: unknown = null
      try {
        for await (const chunk of this.#reader.chunks) {
          const { offset, length } = this.#rest
          this.#rest = { offset: offset + chunk.length, length: length - chunk.length }
          yield chunk
        }
      } catch (error) {
        if (!isAway(error)) throw error
        fault = error
      }
      // One that ends too early without a word is noticed by whoever counts; here it may still be mended.
      if (this.#rest.length > 0 && (await this.#goOn())) continue
      if (fault !== null) throw fault
      return
    }
  }

  /** Opens what is left at the next place that has it. False when there is none. */
  async #goOn(): Promise<boolean> {
    if (this.#closed) return false
    for (let location = this.#others.shift(); location !== undefined; location = this.#others.shift()) {
      try {
        const opened = await openLocation(this.#ports, { location, size: this.size, range: this.#rest })
        if (typeof opened === 'string') continue
        const former = this.#reader
        this.#reader = opened
        await former[Symbol.asyncDispose]()
        // Whoever reads may have left while it was opened, and has closed the former one.
        if (!this.#closed) return true
        await opened[Symbol.asyncDispose]()
        return false
      } catch (error) {
        if (!isAway(error)) throw error
      }
    }
    return false
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    this.#closed = true
    return this.#reader[Symbol.asyncDispose]()
  }
}
