import { randomBytes } from 'node:crypto'
import { RegistryError } from '@openregistry/oci'
import type { SentPart } from './bucket.ts'
import { mostParts, partSizeOf } from './part-size.ts'
import { markedWith, publish } from './publish.ts'
import type { WriteTarget } from './write-object.ts'

/** Parts on their way while the next one fills, where there is memory for them. */
const ahead = 2

/** How long a write that has failed may take to give its upload up, in milliseconds: a client waits for the answer. */
const patience = 10_000

/** A part on its way. */
interface Sending {
  buffer: Uint8Array
  sent: Promise<SentPart>
}

/**
 * One object on its way to a bucket: bytes gather to parts, full parts are sent while the next one fills. Content of at
 * most one part is sent in one request at the end. Disposing gives up whatever was not published.
 */
export class PartUpload implements AsyncDisposable {
  readonly #target: WriteTarget
  readonly #mark = randomBytes(12).toString('hex')
  readonly #stop: AbortSignal
  readonly #stopping = new AbortController()
  readonly #sending: Sending[] = []
  readonly #parts: SentPart[] = []
  #buffer: Uint8Array | null = null
  #used = 0
  #begun = 0
  #id: string | null = null
  #size = 0

  constructor(target: WriteTarget, signal: AbortSignal | undefined) {
    this.#target = target
    const { signal: stop } = this.#stopping
    this.#stop = signal === undefined ? stop : AbortSignal.any([stop, signal])
  }

  /** Bytes taken so far. */
  get size(): number {
    return this.#size
  }

  /** Takes the next bytes, which are the caller's again when this resolves. @throws RegistryError of any part so far. */
  async take(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      // A full part is sent when more comes, so that content of exactly one part needs no second request.
      if (this.#buffer !== null && this.#used === this.#buffer.length) await this.#send(this.#buffer)
      this.#buffer ??= await this.#nextBuffer()
      const taken = Math.min(bytes.length - at, this.#buffer.length - this.#used)
      this.#buffer.set(bytes.subarray(at, at + taken), this.#used)
      this.#used += taken
      at += taken
      this.#size += taken
    }
  }

  /** Sends what is left, and makes the object. @throws RegistryError. */
  async publish(): Promise<void> {
    const { bucket, name } = this.#target
    const object = { name, size: this.#size, mark: this.#mark }
    if (this.#id === null) {
      const body = this.#buffer?.subarray(0, this.#used) ?? new Uint8Array(0)
      return publish(bucket, object, () => bucket.put(name, body, markedWith(this.#mark)))
    }
    if (this.#buffer !== null) await this.#send(this.#buffer)
    while (this.#sending.length > 0) await this.#settleOldest()
    const upload = { name, id: this.#id }
    const parts = this.#parts.toSorted((one, other) => one.number - other.number)
    await publish(bucket, object, () => bucket.completeUpload(upload, parts), { look: true })
    this.#id = null
  }

  async #send(buffer: Uint8Array): Promise<void> {
    const { bucket, name } = this.#target
    const number = ++this.#begun
    if (number > mostParts)
      throw new RegistryError('BLOB_TOO_LARGE', 'The blob has more parts than S3 takes.')
    this.#id ??= await bucket.createUpload(name, markedWith(this.#mark), this.#stop)
    const part = { number, bytes: buffer.subarray(0, this.#used) }
    const sent = bucket.sendPart({ name, id: this.#id }, part, this.#stop)
    // Whoever waits for the part sees its error.
    sent.catch(() => undefined)
    this.#sending.push({ buffer, sent })
    this.#buffer = null
    this.#used = 0
  }

  async #nextBuffer(): Promise<Uint8Array> {
    const { buffers, partSize } = this.#target
    const size = partSizeOf(this.#begun + 1, partSize)
    if (this.#sending.length > 0 && this.#sending.length < ahead) {
      const spare = buffers.takeSpare(size)
      if (spare !== null) return spare
    }
    while (this.#sending.length > 0) {
      await this.#settleOldest()
      if (this.#sending.length === 0) break
      const spare = buffers.takeSpare(size)
      if (spare !== null) return spare
    }
    return buffers.take(size)
  }

  /** Waits for the part that was begun first, and gives its buffer back. */
  async #settleOldest(): Promise<void> {
    const oldest = this.#sending[0]
    if (oldest === undefined) return
    this.#parts.push(await oldest.sent)
    this.#sending.shift()
    this.#target.buffers.give(oldest.buffer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { bucket, buffers, name } = this.#target
    this.#stopping.abort()
    await Promise.allSettled(this.#sending.map(({ sent }) => sent))
    for (const { buffer } of this.#sending) buffers.give(buffer)
    if (this.#buffer !== null) buffers.give(this.#buffer)
    // What cannot be given up now is found by the sweep.
    if (this.#id !== null) {
      await bucket.abortUpload({ name, id: this.#id }, AbortSignal.timeout(patience)).catch(() => undefined)
    }
  }
}
