import { RegistryError } from '@openregistry/oci'
import {
  isTrusted,
  lists,
  type BlobStore,
  type ByteRange,
  type Lists,
  type Trusted,
} from '@openregistry/core'
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
  /** What the system is said to have answered when `open` or a read is told to fail, such as `EIO`; null: nothing. */
  readErrno: string | null
  /** `open` refuses, although the object is there. */
  failOpen: boolean
  /** A read throws when it reaches this offset of the object. */
  failReadAt: number | null
  /** A read ends, as if all were well, at this offset of the object. */
  endReadAt: number | null
  /** The byte at this offset of the object is read as its complement. */
  wrongByteAt: number | null
  /** The object is stored whole, and then the answer is a failure: somebody lost it on the way. */
  failAfterWrite: boolean
  /** Objects are not there, for `open` and `stat`; lists still have them. */
  lost: boolean
  /** Objects have this many bytes at most, and say so from the beginning. */
  shrinkTo: number | null
  /** `delete` refuses. */
  failDelete: boolean
  /** A list breaks off after so many keys. */
  failListAfter: number | null
  /** Waited for before every operation: a backend that is slow to answer. */
  beforeOperation: ((operation: BlobOperation) => Promise<void>) | null
  /** Only these objects have faults of their own; null: all. What refuses every operation does so for all. */
  only: ((key: StorageKey) => boolean) | null
}

/** What can be asked of a store. */
export type BlobOperation = 'write' | 'open' | 'stat' | 'delete' | 'list' | 'check'

/** A store over another one, with faults that a test switches on and off. */
export type FaultyBlobStore = BlobStore & { readonly faults: BlobFaults }

/**
 * Puts faults over a store. The store beneath stays true to its contract: what fails leaves nothing there, but for
 * `failAfterWrite`.
 * It lists, and is trusted, if the store beneath is.
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
  readErrno: null,
  failOpen: false,
  failReadAt: null,
  endReadAt: null,
  wrongByteAt: null,
  failAfterWrite: false,
  lost: false,
  shrinkTo: null,
  failDelete: false,
  failListAfter: null,
  beforeOperation: null,
  only: null,
}

function withList(faulty: FaultBlobStore, beneath: Lists): FaultyBlobStore & Lists {
  const list = async function* (prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    await faulty.begin('list')
    let listed = 0
    for await (const key of beneath.list(prefix)) {
      faulty.expectHere()
      if (listed === faulty.faults.failListAfter) throw unavailable('the list was told to break off')
      listed++
      yield key
    }
  }
  return Object.assign(faulty, { list })
}

class FaultBlobStore implements FaultyBlobStore, Trusted {
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

  get trusted(): boolean {
    return isTrusted(this.#store)
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<{ size: number }> {
    await this.begin('write')
    const written = await this.#store.write(key, this.#taking(key, source), options)
    try {
      // It may have gone away while it made the object durable.
      this.expectHere()
    } catch (error) {
      await this.#store.delete(key)
      throw error
    }
    if (this.for(key).failAfterWrite) throw unavailable('the answer to the write was told to get lost')
    return written
  }

  async *#taking(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let taken = 0
    for await (const chunk of source) {
      await this.faults.beforeChunk?.('write', taken)
      this.expectHere()
      const { fullAfter } = this.faults
      const { failWriteAt } = this.for(key)
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
    await this.begin('open')
    const { failOpen, lost, readErrno, shrinkTo } = this.for(key)
    if (failOpen) throw unavailable('opening was told to fail', readErrno)
    if (lost) return null
    if (shrinkTo !== null && range !== undefined && range.offset + range.length > shrinkTo) {
      throw new RegistryError('RANGE_INVALID')
    }
    const reader = await this.#store.open(key, range)
    return reader === null ? null : new FaultReader(reader, range?.offset ?? 0, this, key)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    await this.begin('stat')
    const { lost, shrinkTo } = this.for(key)
    const found = lost ? null : await this.#store.stat(key)
    return found && { size: Math.min(found.size, shrinkTo ?? Infinity) }
  }

  async delete(key: StorageKey): Promise<void> {
    await this.begin('delete')
    if (this.for(key).failDelete) throw unavailable('deleting was told to fail')
    await this.#store.delete(key)
  }

  async check(): Promise<void> {
    await this.begin('check')
    const { fullAfter } = this.faults
    if (fullAfter !== null && this.#taken >= fullAfter) throw new RegistryError('STORAGE_FULL')
    await this.#store.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }

  /** The faults of an object. */
  for(key: StorageKey): BlobFaults {
    return this.faults.only === null || this.faults.only(key) ? this.faults : sound
  }

  /** Begins an operation. @throws RegistryError `STORAGE_UNAVAILABLE` while the backend is away. */
  async begin(operation: BlobOperation): Promise<void> {
    await this.faults.beforeOperation?.(operation)
    this.expectHere()
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
  readonly #key: StorageKey

  constructor(reader: ObjectReader, offset: number, store: FaultBlobStore, key: StorageKey) {
    this.#reader = reader
    this.#store = store
    this.#key = key
    this.size = Math.min(reader.size, store.for(key).shrinkTo ?? Infinity)
    this.chunks = this.#iterate(offset)
  }

  async *#iterate(offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    let at = offset
    for await (const whole of this.#reader.chunks) {
      await this.#store.faults.beforeChunk?.('read', at)
      this.#store.expectHere()
      const { endReadAt, failReadAt, readErrno } = this.#store.for(this.#key)
      const last = Math.min(endReadAt ?? Infinity, failReadAt ?? Infinity, this.size)
      const chunk = at + whole.length > last ? whole.subarray(0, Math.max(0, last - at)) : whole
      if (chunk.length > 0) yield this.#falsified(chunk, at)
      at += chunk.length
      if (chunk.length === whole.length) continue
      if (failReadAt !== null && at >= failReadAt) throw unavailable('the read was told to fail', readErrno)
      return
    }
  }

  #falsified(chunk: Uint8Array, at: number): Uint8Array {
    const { wrongByteAt } = this.#store.for(this.#key)
    if (wrongByteAt === null || wrongByteAt < at || wrongByteAt >= at + chunk.length) return chunk
    const wrong = new Uint8Array(chunk)
    wrong[wrongByteAt - at] = ~(wrong[wrongByteAt - at] ?? 0)
    return wrong
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]()
  }
}

function unavailable(reason: string, errno: string | null = null): RegistryError {
  const cause = errno === null ? reason : Object.assign(new Error(reason), { code: errno })
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
}
