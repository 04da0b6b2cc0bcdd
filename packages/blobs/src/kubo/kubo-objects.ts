import { RegistryError } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import type { StorageKey } from '@openregistry/core'
import { carOf, type ObjectDag, type SpooledObject } from '../ipfs/object-dag.ts'
import { formatEntry, parseEntry, type ObjectIndex } from '../ipfs/object-index.ts'
import { backendFault } from '../ipfs/peer-fault.ts'
import { retrying } from '../ipfs/retrying.ts'
import type { KuboRpc } from './kubo-rpc.ts'

/** How long a write that failed tries to leave nothing behind, in milliseconds; after that the sweep does it. */
const tidyWithin = 2000

/**
 * The objects of a Kubo node. Each has two pins: the entry of the index, which is there before the first byte, so that
 * whatever happens the object is found and can be deleted; and the one that holds the bytes.
 *
 * All throw RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`.
 */
export class KuboObjects {
  readonly #rpc: KuboRpc
  readonly #index: ObjectIndex
  readonly #retryWithin: number

  /** @param retryWithin milliseconds in which something is tried again that did not reach Kubo. */
  constructor(rpc: KuboRpc, index: ObjectIndex, retryWithin: number) {
    this.#rpc = rpc
    this.#index = index
    this.#retryWithin = retryWithin
  }

  /** What the index says of an object, whose bytes may not be there yet; null when it says nothing. */
  async find(key: StorageKey): Promise<ObjectDag | null> {
    const name = await this.#again(() => this.#rpc.nameOfPin(this.#index.cidOf(key)))
    if (name === null) return null
    const entry = parseEntry(name)
    if (entry !== null) return entry
    throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
      cause: `the pin of ${key} has a name that is not ours: ${name}`,
    })
  }

  /**
   * Stores an object. When this rejects nothing is left of it, or an entry of the index that leads to what is left.
   * @throws the reason of the signal, which ends it until all bytes are with Kubo.
   */
  async store(key: StorageKey, object: SpooledObject, signal?: AbortSignal): Promise<void> {
    const entry = this.#index.cidOf(key)
    try {
      await this.#again(() => this.#rpc.pinDirectly(entry, formatEntry(object)), signal)
      await this.#again(() => this.#rpc.importCar(object, carOf(object), signal), signal)
      signal?.throwIfAborted()
      // Whoever deleted it meanwhile may have come before there was a pin to take away.
      if ((await this.#again(() => this.#rpc.nameOfPin(entry))) === null) throw deleted(key)
    } catch (error) {
      await this.#take(entry, object.pin, tidyWithin).catch(() => undefined)
      throw error
    }
  }

  /** Takes an object away; a missing one is fine. */
  async remove(key: StorageKey): Promise<void> {
    const found = await this.find(key)
    if (found !== null) await this.#take(this.#index.cidOf(key), found.pin, this.#retryWithin)
  }

  /** The keys that are wanted: a walk through the whole index, since Kubo finds pins by their CID alone. */
  async *keys(wanted: (key: StorageKey) => boolean): AsyncGenerator<StorageKey, void, undefined> {
    try {
      for await (const cid of this.#rpc.directPins()) {
        const key = this.#index.keyOf(cid)
        if (key !== null && wanted(key)) yield key
      }
    } catch (error) {
      throw backendFault(error)
    }
  }

  /**
   * The bytes first, so that the index leads to them until they are gone, and once more at the end: a writer may pin them
   * in between. It looks for the entry after that, so one of the two sees the other.
   */
  async #take(entry: Cid, pin: Cid, within: number): Promise<void> {
    for (const cid of [pin, entry, pin]) await this.#again(() => this.#rpc.unpin(cid), undefined, within)
  }

  async #again<T>(attempt: () => Promise<T>, signal?: AbortSignal, within = this.#retryWithin): Promise<T> {
    try {
      return await retrying(attempt, { within, signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw backendFault(error)
    }
  }
}

function deleted(key: StorageKey): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `${key} was deleted while it was written`,
  })
}
