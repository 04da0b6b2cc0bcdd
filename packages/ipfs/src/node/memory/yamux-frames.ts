/** Bytes of the header of a frame (Yamux, "Framing"), and what is in it. */
const headerSize = 12
const typeAt = 1
const lengthAt = 8
const dataType = 0

/** What a frame or a chunk costs beside its bytes, about: small ones are mostly the objects around them. */
const overhead = 512

/** A frame is longer than any that the peer may send. */
export class FrameTooLong extends Error {
  constructor(length: number) {
    super(`A frame of Yamux has ${length} bytes.`)
    this.name = 'FrameTooLong'
  }
}

/**
 * Follows the frames that arrive on a connection, to know what they may cost at most. A muxer waits for the whole of a frame,
 * however long it says that it is.
 */
export class YamuxFrames {
  readonly #longest: number
  readonly #header = new Uint8Array(headerSize)
  /** Bytes of the header that are here, and of the data that are still to come. */
  #headed = 0
  #missing = 0
  #unfinished = 0

  /** @param longest bytes that a frame may have: the window of a stream. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** What the frame costs that has begun and not ended. */
  get unfinished(): number {
    return this.#unfinished
  }

  /** Takes what arrived. @returns what it costs. @throws FrameTooLong. */
  take(chunk: Uint8Array): number {
    let cost = chunk.length + overhead
    let isEnded = false
    for (let at = 0; at < chunk.length;) {
      if (this.#missing > 0) {
        const part = Math.min(this.#missing, chunk.length - at)
        this.#missing -= part
        at += part
        isEnded ||= this.#missing === 0
        continue
      }
      this.#header[this.#headed++] = chunk[at++] ?? 0
      if (this.#headed === headerSize) {
        this.#headed = 0
        this.#missing = this.#dataLength()
        isEnded ||= this.#missing === 0
        cost += overhead
      }
    }
    // Whatever began after another one ended began in this chunk.
    const before = isEnded ? 0 : this.#unfinished
    this.#unfinished = this.#missing === 0 && this.#headed === 0 ? 0 : before + cost
    return cost
  }

  /** Of the frame whose header is here; other types have none. @throws FrameTooLong. */
  #dataLength(): number {
    if (this.#header[typeAt] !== dataType) return 0
    const length = new DataView(this.#header.buffer).getUint32(lengthAt)
    if (length > this.#longest) throw new FrameTooLong(length)
    return length
  }
}
