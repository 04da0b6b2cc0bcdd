import { maxVarintSize, readVarint } from '../varint.ts'
import { CarError } from './car-error.ts'

/** Takes counted pieces out of chunks of any size. Holds no more than the piece that is asked for. */
export class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  /** What is left of the present chunk. */
  #rest: Uint8Array = new Uint8Array()
  /** Bytes that may still be taken. */
  #left = Infinity
  /** Bytes that were taken or passed over. */
  taken = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Lets the source end after so many bytes from here, whatever comes behind them. */
  endAfter(bytes: number): void {
    this.#left = bytes
  }

  /**
   * The next bytes, as a view that is valid until more is asked for.
   * @throws CarError when there are fewer.
   */
  async take(length: number): Promise<Uint8Array> {
    if (length > this.#left) throw endsEarly()
    this.#left -= length
    if (this.#rest.length >= length) return this.#cut(length)
    const piece = new Uint8Array(length)
    for (let filled = 0; filled < length;) {
      if (!(await this.#fill())) throw endsEarly()
      const part = this.#cut(Math.min(length - filled, this.#rest.length))
      piece.set(part, filled)
      filled += part.length
    }
    return piece
  }

  /** Passes over bytes. @throws CarError when there are fewer. */
  async skip(length: number): Promise<void> {
    if (length > this.#left) throw endsEarly()
    this.#left -= length
    for (let left = length; left > 0;) {
      if (!(await this.#fill())) throw endsEarly()
      left -= this.#cut(Math.min(left, this.#rest.length)).length
    }
  }

  /**
   * A varint, or null where the source ends.
   * @throws CarError when it is none.
   */
  async varint(): Promise<number | null> {
    if (this.#left === 0 || !(await this.#fill())) return null
    const bytes: number[] = []
    do bytes.push((await this.take(1))[0]!)
    while (bytes.at(-1)! >= 128 && bytes.length < maxVarintSize)
    const found = readVarint(Uint8Array.from(bytes), 0)
    if (typeof found === 'string') throw new CarError(`A length in the CAR is ${found}.`)
    return found.value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }

  #cut(length: number): Uint8Array {
    const piece = this.#rest.subarray(0, length)
    this.taken += piece.length
    this.#rest = this.#rest.subarray(length)
    return piece
  }

  /** Whether there is at least one more byte. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return false
      this.#rest = next.value
    }
    return true
  }
}

function endsEarly(): CarError {
  return new CarError('The CAR ends early.')
}
