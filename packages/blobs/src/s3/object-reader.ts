import type { Readable } from 'node:stream'
import { RegistryError } from '@openregistry/oci'
import type { ByteRange, ObjectReader } from '@openregistry/core'

/** How often a stream that breaks without having brought anything to speak of is begun again. */
const attempts = 3
/** Bytes after which a stream has got on. */
const progress = 256 * 1024

/** What {@link BucketReader} reads. */
export interface OpenedObject {
  /** Of the whole object. */
  size: number
  range: ByteRange
  /** The bytes of the range. */
  body: Readable
  /** Begins again at a later offset, if it is still the same object. @throws RegistryError. */
  reopen(range: ByteRange): Promise<Readable>
}

/** Reads a span of an object. A connection that breaks, or was closed while the consumer took its time, is made anew. */
export class BucketReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly #object: OpenedObject
  #body: Readable
  #closed = false

  constructor(object: OpenedObject) {
    this.size = object.size
    this.#object = object
    this.#body = object.body
    // A body that nobody reads may fail, too.
    this.#body.on('error', ignore)
    this.chunks = this.#iterate()
  }

  async *#iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset, length } = this.#object.range
    const end = offset + length
    let at = offset
    for (let failures = 0; at < end;) {
      const begunAt = at
      const broken = yield* this.#pass(at, end, (next) => (at = next))
      if (at === end) return
      if (this.#closed) throw closed()
      failures = at - begunAt >= progress ? 1 : failures + 1
      if (failures >= attempts) throw cutOff(broken)
      await this.#begin({ offset: at, length: end - at })
    }
  }

  /** Gives what one connection brings; answers why it ended. */
  async *#pass(
    from: number,
    end: number,
    advance: (at: number) => void,
  ): AsyncGenerator<Uint8Array, unknown, undefined> {
    let at = from
    try {
      for await (const chunk of this.#body as AsyncIterable<Uint8Array>) {
        if (at + chunk.length > end)
          throw new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: 'more bytes than asked for' })
        at += chunk.length
        advance(at)
        yield chunk
      }
      return 'the answer ended early'
    } catch (error) {
      if (error instanceof RegistryError) throw error
      return error
    }
  }

  async #begin(range: ByteRange): Promise<void> {
    const body = await this.#object.reopen(range)
    body.on('error', ignore)
    // Closed while it waited: nobody else would let go of it.
    if (this.#closed) body.destroy()
    else this.#body = body
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#body.destroy()
  }
}

function ignore(): void {
  // Whoever iterates gets the error.
}

function cutOff(error: unknown): RegistryError {
  const reason = error instanceof Error ? error.message : String(error)
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: `a read was cut off: ${reason}` })
}

function closed(): RegistryError {
  return new RegistryError('INTERNAL', 'An object was read after it was closed.')
}
