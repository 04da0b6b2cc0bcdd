import { RegistryError } from '@openregistry/oci'
import type { BackendIdentity, ByteRange, KeepsIdentity, ObjectReader, StorageKey } from '@openregistry/core'
import { ReadBuffers } from '../reading/read-buffers.ts'
import { SpanReader, type SpanSource } from '../reading/span-reader.ts'
import { checkFault } from './check-fault.ts'
import type { ClaimedIdentity } from './claimed-identity.ts'
import { Spool } from './spool.ts'
import { spooled, webHashLeaf, type HashLeaf, type Spooled } from './spooled.ts'
import { Turns } from './turns.ts'

const mebi = 1024 * 1024

/** Objects that are sent at a time; others wait in the spool. */
const sentAtOnce = 4

/** Bytes of one read. */
const largestRead = 2 * mebi

/** How a {@link SpoolingStore} works. */
export interface SpoolingOptions {
  /** The folder in which content waits until all of it is there. */
  spool: string
  /** Hashes leaves off the event loop; with Web Cryptography unless said otherwise. */
  hashLeaf?: HashLeaf
}

/**
 * What stores have in common whose service gets an object once all of it is here, in a spool, gives it back in ranges, and keeps
 * an identity that is claimed.
 */
export abstract class SpoolingStore implements KeepsIdentity {
  abstract readonly place: string
  abstract readonly mountable: boolean
  readonly #identity: ClaimedIdentity
  readonly #spool: Spool
  readonly #hashLeaf: HashLeaf
  readonly #sending = new Turns(sentAtOnce)
  readonly #buffers = new ReadBuffers(64 * mebi)
  /** Keys whose objects are being written by this process. */
  readonly #writing = new Set<StorageKey>()

  constructor(identity: ClaimedIdentity, { spool, hashLeaf = webHashLeaf }: SpoolingOptions) {
    this.#identity = identity
    this.#spool = new Spool(spool)
    this.#hashLeaf = hashLeaf
  }

  async write(
    key: StorageKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ size: number }> {
    signal?.throwIfAborted()
    if (this.#writing.has(key)) throw usedTwice()
    this.#writing.add(key)
    try {
      if (await this.isUsed(key)) throw usedTwice()
      await using content = await spooled(source, { spool: this.#spool, hashLeaf: this.#hashLeaf, signal })
      signal?.throwIfAborted()
      await this.inTurn(() => this.store(key, content, signal), signal)
      return { size: content.size }
    } finally {
      this.#writing.delete(key)
    }
  }

  /** Whether there is an object of this key, or was. @throws RegistryError storage faults. */
  protected abstract isUsed(key: StorageKey): Promise<boolean>

  /** Sends an object, which is durable then. @throws RegistryError storage faults; the reason of the signal. */
  protected abstract store(key: StorageKey, content: Spooled, signal: AbortSignal | undefined): Promise<void>

  /** Sends something when it is its turn. */
  protected inTurn(send: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    return this.#sending.run(send, signal)
  }

  /** Reads a range of an object of `size` bytes. */
  protected reader(source: SpanSource, size: number, range: ByteRange): ObjectReader {
    return new SpanReader({ source, size, ...range }, this.#buffers, largestRead)
  }

  async readIdentity(): Promise<BackendIdentity | null> {
    try {
      return await this.#identity.read()
    } catch (error) {
      throw checkFault(this.place, error)
    }
  }

  claim(identity: BackendIdentity): Promise<BackendIdentity> {
    return this.#identity.claim(identity)
  }

  reclaim(identity: BackendIdentity): Promise<void> {
    return this.#identity.replace(identity)
  }

  concede(identity: BackendIdentity): Promise<void> {
    return this.#identity.concede(identity)
  }
}

function usedTwice(): RegistryError {
  return new RegistryError('INTERNAL', 'A storage key was used twice.')
}
