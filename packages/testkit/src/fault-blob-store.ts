import { RegistryError } from '@openregistry/oci'
import { lists, type BlobStore, type ByteRange, type Lists } from '@openregistry/core'
import type { ObjectReader, StorageKey } from '@openregistry/core'

/** What is to go wrong. All fields are off at first and may be changed at any time. */
export interface BlobFaults {
  /** Every operation is refused, as by a backend that is away. */
  away: boolean
  /** A write fails with the chunk that would take it beyond this many bytes. */
  failWriteAt: number | null
  /** The disk is full with the chunk that would take all writes together beyond this; null: there is space again. */
  fullAfter: number | null
  /** Waited for before every chunk of a write or read: a slow backend, or a gate that a test opens. */
  beforeChunk: ((direction: 'write' | 'read', bytes: number) => Promise<void>) | null
  /** `open` refuses, although the object is there. */
  failOpen: boolean
  /** A read throws when it reaches this offset of the object. */
  failReadAt: number | null
  /** A read ends, as if all were well, at this offset of the object. */
  endReadAt: number | null
  /** The byte at this offset of the object is read as its complement. */
  wrongByteAt: number | null
  /** `delete` refuses. */
  failDelete: boolean
}

/** A store over another one, with faults that a test switches on and off. */
export type FaultyBlobStore = BlobStore & { readonly faults: BlobFaults }

/**
 * Puts faults over a store. The store beneath stays true to its contract: what fails leaves nothing there.
 * It lists if the store beneath does.
 */
export function faultBlobStore(store: BlobStore, faults: Partial<BlobFaults> = {}): FaultyBlobStore {
  const faulty = new FaultBlobStore(store, { ...sound, ...faults })
  return lists(store) ? withList(faulty, store) : faulty
}

const sound: BlobFaults = {
  away: false,
  failWriteAt: null,
  fullAfter: null,
  beforeChunk: null,
  failOpen: false,
  failReadAt: null,
  endReadAt: null,
  wrongByteAt: null,
  failDelete: false,
}

function withList(faulty: FaultBlobStore, beneath: Lists): FaultyBlobStore & Lists {
  const list = async function* (prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    faulty.expectHere()
    yield* beneath.list(prefix)
  }
  return Object.assign(faulty, { list })
}

class FaultBlobStore implements FaultyBlobStore {
  readonly faults: BlobFaults
  readonly #store: BlobStore
  #taken = 0

  constructor(store: BlobStore, faults: BlobFaults) {
    this.#store = store
    this.faults = faults
  }

  get backend(): string {
    return this.#store.backend
  }

  get public(): boolean {
    return this.#store.public
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<{ size: number }> {
    this.expectHere()
    const written = await this.#store.write(key, this.#taking(source), options)
    try {
      // It may have gone away while it made the object durable.
      this.expectHere()
    } catch (error) {
      await this.#store.delete(key)
      throw error
    }
    return written
  }

  async *#taking(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let taken = 0
    for await (const chunk of source) {
      await this.faults.beforeChunk?.('write', taken)
      this.expectHere()
      const { failWriteAt, fullAfter } = this.faults
      if (failWriteAt !== null && taken + chunk.length > failWriteAt)
        throw unavailable('the write was told to fail')
      if (fullAfter !== null && this.#taken + chunk.length > fullAfter)
        throw new RegistryError('STORAGE_FULL')
      taken += chunk.length
      this.#taken += chunk.length
      yield chunk
    }
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    this.expectHere()
    if (this.faults.failOpen) throw unavailable('opening was told to fail')
    const reader = await this.#store.open(key, range)
    return reader === null ? null : new FaultReader(reader, range?.offset ?? 0, this)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    this.expectHere()
    return this.#store.stat(key)
  }

  async delete(key: StorageKey): Promise<void> {
    this.expectHere()
    if (this.faults.failDelete) throw unavailable('deleting was told to fail')
    await this.#store.delete(key)
  }

  async check(): Promise<void> {
    this.expectHere()
    const { fullAfter } = this.faults
    if (fullAfter !== null && this.#taken >= fullAfter) throw new RegistryError('STORAGE_FULL')
    await this.#store.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }

  /** @throws RegistryError `STORAGE_UNAVAILABLE` while the backend is away. */
  expectHere(): void {
    if (this.faults.away) throw unavailable('the backend was told to be away')
  }
}

class FaultReader implements ObjectReader {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly #reader: ObjectReader
  readonly #store: FaultBlobStore

  constructor(reader: ObjectReader, offset: number, store: FaultBlobStore) {
    this.#reader = reader
    this.#store = store
    this.size = reader.size
    this.chunks = this.#iterate(offset)
  }

  async *#iterate(offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    let at = offset
    for await (const whole of this.#reader.chunks) {
      const { beforeChunk, endReadAt, failReadAt } = this.#store.faults
      await beforeChunk?.('read', at)
      this.#store.expectHere()
      const last = Math.min(endReadAt ?? Infinity, failReadAt ?? Infinity)
      const chunk = at + whole.length > last ? whole.subarray(0, Math.max(0, last - at)) : whole
      if (chunk.length > 0) yield this.#falsified(chunk, at)
      at += chunk.length
      if (chunk.length === whole.length) continue
      if (failReadAt !== null && at >= failReadAt) throw unavailable('the read was told to fail')
      return
    }
  }

  #falsified(chunk: Uint8Array, at: number): Uint8Array {
    const { wrongByteAt } = this.#store.faults
    if (wrongByteAt === null || wrongByteAt < at || wrongByteAt >= at + chunk.length) return chunk
    const wrong = new Uint8Array(chunk)
    wrong[wrongByteAt - at] = ~(wrong[wrongByteAt - at] ?? 0)
    return wrong
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]()
  }
}

function unavailable(cause: string): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
}
