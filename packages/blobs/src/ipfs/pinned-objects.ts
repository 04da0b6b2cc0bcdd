import { RegistryError } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import type { StorageKey } from '@openregistry/core'
import type { ObjectDag, WholeObject } from './object-dag.ts'
import { formatEntry, parseEntry, type ObjectIndex, type ObjectName } from './object-index.ts'
import { backendFault } from './peer-fault.ts'
import type { PinService } from './pin-service.ts'
import { persistently } from './retrying.ts'

/** How long a write that failed tries to leave nothing behind, in milliseconds; after that the sweep does it. */
const tidyWithin = 2000

/**
 * Objects that are pinned. Each has two pins: the entry of the index, which is there before the first byte, so that
 * whatever happens the object is found and can be deleted; and the one that holds the bytes.
 *
 * All throw RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`.
 */
export class PinnedObjects {
  readonly #pins: PinService
  readonly #index: ObjectIndex
  readonly #retryWithin: number

  /** @param retryWithin milliseconds in which something is tried again that did not reach the service. */
  constructor(pins: PinService, index: ObjectIndex, retryWithin: number) {
    this.#pins = pins
    this.#index = index
    this.#retryWithin = retryWithin
  }

  /** What the index says of an object, whose bytes may not be there yet; null when it says nothing. */
  async find(key: ObjectName): Promise<ObjectDag | null> {
    const text = await this.#again(() => this.#pins.entryOf(this.#index.cidOf(key)))
    if (text === null) return null
    const entry = parseEntry(text)
    if (entry !== null) return entry
    throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
      cause: `the pin of ${key} has a text that is not ours: ${text}`,
    })
  }

  /**
   * Stores an object. When this rejects nothing is left of it, or an entry of the index that leads to what is left.
   * @throws the reason of the signal, which ends it until all bytes were sent.
   */
  async store(key: ObjectName, object: WholeObject, signal?: AbortSignal): Promise<void> {
    const entry = this.#index.cidOf(key)
    try {
      await this.#again(() => this.#pins.pinEntry(entry, formatEntry(object)), signal)
      await this.#again(() => this.#pins.pinObject(object, signal), signal)
      signal?.throwIfAborted()
      // Whoever deleted it meanwhile may have come before there was a pin to take away.
      if ((await this.#again(() => this.#pins.entryOf(entry))) === null) throw deleted(key)
    } catch (error) {
      await this.#take(entry, object.pin, tidyWithin).catch(() => undefined)
      throw error
    }
  }

  /** Takes an object away; a missing one is fine. */
  async remove(key: ObjectName): Promise<void> {
    const found = await this.find(key)
    if (found !== null) await this.#take(this.#index.cidOf(key), found.pin, this.#retryWithin)
  }

  /** The keys that are wanted: a walk through the whole index, since pins are found by their CID alone. */
  async *keys(wanted: (key: StorageKey) => boolean): AsyncGenerator<StorageKey, void, undefined> {
    try {
      for await (const cid of this.#pins.entries()) {
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
    for (const cid of [pin, entry, pin]) await this.#again(() => this.#pins.unpin(cid), undefined, within)
  }

  #again<T>(attempt: () => Promise<T>, signal?: AbortSignal, within = this.#retryWithin): Promise<T> {
    return persistently(attempt, { within, signal })
  }
}

function deleted(key: ObjectName): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `${key} was deleted while it was written`,
  })
}
