import { RegistryError } from '@openregistry/oci'
import type { StorageKey } from '@openregistry/core'
import { PeerRefusal, PeerUnreachable } from '../ipfs/peer-fault.ts'
import { persistently } from '../ipfs/retrying.ts'
import { dataKeyOf, type EntryKey, type RegistryEntry } from './entry-key.ts'
import type { Portal } from './portal.ts'
import { skylinkBytes, skylinkOf, skylinkSize, type Skylink } from './skylink.ts'

/** An object as its entry describes it. */
export interface StoredObject {
  skylink: Skylink
  /** In bytes. */
  size: number
}

/** What is known of a key: an object, that there was one, or nothing. */
export type KnownObject = StoredObject | 'deleted' | null

/** Bytes of an entry of an object: its skylink, and its size in 8 bytes. */
const entrySize = skylinkSize + 8

/** How entries are kept. */
export interface EntriesOptions {
  portal: Portal
  key: EntryKey
  /** The name of the registry among those that use the same key. */
  registry: string
  /** Milliseconds in which something is tried again that did not reach the portal. */
  retryWithin: number
}

/**
 * Where objects are: Skynet finds content by its hash alone, so each storage key has an entry in the registry of Skynet, signed
 * by us, that leads to its skylink. What a portal answers counts only with our signature on it.
 *
 * All throw RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`.
 */
export class ObjectEntries {
  readonly #options: EntriesOptions

  constructor(options: EntriesOptions) {
    this.#options = options
  }

  /** What is known of an object. */
  async find(key: StorageKey): Promise<KnownObject> {
    const entry = await this.read(key)
    if (entry === null) return null
    const { data } = entry
    if (data.every((byte) => byte === 0)) return 'deleted'
    if (data.length !== entrySize) {
      throw new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: `the entry of ${key} is not ours` })
    }
    const size = Number(Buffer.from(data).readBigUInt64BE(skylinkSize))
    return { skylink: skylinkOf(data.subarray(0, skylinkSize)), size }
  }

  /** Notes where a new object is. @throws RegistryError when its key was used before. */
  async add(key: StorageKey, { skylink, size }: StoredObject, signal?: AbortSignal): Promise<void> {
    const data = Buffer.alloc(entrySize)
    data.set(skylinkBytes(skylink))
    data.writeBigUInt64BE(BigInt(size), skylinkSize)
    await this.write(key, { data, revision: 0 }, signal)
  }

  /** Notes that an object is no more. Entries never go; the last one says so with zeros, as others write it. */
  async remove(key: StorageKey): Promise<void> {
    const entry = await this.read(key)
    if (entry === null) return
    await this.write(key, { data: new Uint8Array(skylinkSize), revision: entry.revision + 1 })
  }

  /** The entry of this name. */
  async read(name: string): Promise<RegistryEntry | null> {
    const { portal, key } = this.#options
    const dataKey = this.#dataKey(name)
    return this.#again(async () => {
      const entry = await portal.entry(key.publicKey, dataKey)
      if (entry !== null && !key.isOwn(dataKey, entry)) {
        throw new PeerUnreachable('The portal answered with an entry that we have not signed.')
      }
      return entry
    })
  }

  /** Writes an entry. Whether one that was refused is there anyway is looked up: the answer to a first attempt may be lost. */
  async write(name: string, entry: RegistryEntry, signal?: AbortSignal): Promise<void> {
    const { portal, key } = this.#options
    const dataKey = this.#dataKey(name)
    const signed = key.sign(dataKey, entry)
    await this.#again(async () => {
      try {
        await portal.putEntry(key.publicKey, dataKey, signed)
      } catch (error) {
        if (!(error instanceof PeerRefusal) || error.status !== 400) throw error
        const found = await portal.entry(key.publicKey, dataKey)
        const isThere = found !== null && key.isOwn(dataKey, found) && isSame(found, entry)
        if (!isThere) throw error
      }
    }, signal)
  }

  #dataKey(name: string): Uint8Array {
    return dataKeyOf(`${this.#options.registry}/${name}`)
  }

  #again<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return persistently(attempt, { within: this.#options.retryWithin, signal })
  }
}

function isSame(one: RegistryEntry, other: RegistryEntry): boolean {
  return one.revision === other.revision && Buffer.compare(one.data, other.data) === 0
}
