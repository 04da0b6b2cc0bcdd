import { RegistryError } from '@openregistry/oci'
import type { ObjectReader } from '@openregistry/core'
import type { ReadBuffers } from './read-buffers.ts'

/** Bytes of the first of several reads: soon there. Later ones are twice as large each time. */
const firstRead = 256 * 1024

/** A read under way. */
interface Read {
  buffer: Uint8Array
  bytes: Promise<number>
}

/** Where the bytes of an object come from. Its errors reach the consumer as they are. */
export interface SpanSource {
  /** Reads up to `length` bytes from `position` on into the start of `target`; 0 at the end. */
  read(target: Uint8Array, length: number, position: number): Promise<number>
  /** Nothing more is wanted: a read under way had better end with an error soon. */
  abandon?(): void
  /** Called once, when no read is under way. */
  close(): Promise<void>
}

/** What {@link SpanReader} reads. */
export interface Span {
  source: SpanSource
  /** Of the whole object. */
  size: number
  offset: number
  length: number
}

/** Reads a span of an object, one read ahead of its consumer, and closes the source exactly once. */
export class SpanReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly #span: Span
  readonly #buffers: ReadBuffers
  readonly #largestRead: number
  #read: Read | null = null
  /** What the consumer looks at; only asking for the next chunk says that it is done with it. */
  #held: Uint8Array | null = null
  #closing: Promise<void> | null = null

  constructor(span: Span, buffers: ReadBuffers, largestRead: number) {
    this.#span = span
    this.#buffers = buffers
    this.#largestRead = largestRead
    this.size = span.size
    this.chunks = this.#iterate()
  }

  async *#iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    const end = this.#span.offset + this.#span.length
    let at = this.#span.offset
    const { length } = this.#span
    let wanted = length <= this.#largestRead ? length : firstRead
    try {
      while (at < end) {
        const chunk = await this.#take(this.#read ?? this.#begin(at, Math.min(wanted, end - at)))
        if (chunk.length === 0) throw endsEarly(this.#span, at)
        at += chunk.length
        wanted = Math.min(wanted * 2, this.#largestRead)
        if (at < end && !this.#buffers.scarce) this.#begin(at, Math.min(wanted, end - at))
        yield chunk
        this.#giveHeld()
      }
    } finally {
      await this.#close()
    }
  }

  #begin(at: number, wanted: number): Read {
    if (this.#closing !== null) throw closed()
    const buffer = this.#buffers.take(wanted)
    const bytes = this.#span.source.read(buffer, Math.min(wanted, buffer.length), at)
    // Whoever takes the read sees its error; one that is never taken has nobody to tell.
    bytes.catch(() => undefined)
    this.#read = { buffer, bytes }
    return this.#read
  }

  /** Waits for a read and makes its buffer the held one. */
  async #take({ buffer, bytes }: Read): Promise<Uint8Array> {
    const length = await bytes
    // Who closes while a read is under way owns its buffer.
    if (this.#closing !== null) throw closed()
    this.#read = null
    this.#held = buffer
    return buffer.subarray(0, length)
  }

  #giveHeld(): void {
    if (this.#held !== null) this.#buffers.give(this.#held)
    this.#held = null
  }

  #close(): Promise<void> {
    this.#closing ??= this.#closeNow()
    return this.#closing
  }

  async #closeNow(): Promise<void> {
    // Somebody who stopped early may still be sending it: never lend it to another reader.
    if (this.#held !== null) this.#buffers.forget(this.#held)
    this.#held = null
    if (this.#read !== null) {
      this.#span.source.abandon?.()
      await this.#read.bytes.catch(() => undefined)
      this.#buffers.give(this.#read.buffer)
      this.#read = null
    }
    await this.#span.source.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}

function closed(): RegistryError {
  return new RegistryError('INTERNAL', 'An object was read after it was closed.')
}

function endsEarly({ size }: Span, at: number): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `the object ends at ${at} bytes, but had ${size} when it was opened`,
  })
}
