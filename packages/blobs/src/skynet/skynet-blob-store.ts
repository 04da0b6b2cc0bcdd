import { RegistryError } from '@openregistry/oci'
import type { BlobStore, ByteRange, KeepsIdentity, ObjectReader, StorageKey } from '@openregistry/core'
import { checkFault } from '../ipfs/check-fault.ts'
import { ClaimedIdentity } from '../ipfs/claimed-identity.ts'
import { checkTimeout, defaultRetry, defaultTimeout } from '../ipfs/defaults.ts'
import { persistently } from '../ipfs/retrying.ts'
import type { Spooled } from '../ipfs/spooled.ts'
import { SpoolingStore, type SpoolingOptions } from '../ipfs/spooling-store.ts'
import { within } from '../within.ts'
import { EntryKey } from './entry-key.ts'
import { entryTexts } from './entry-texts.ts'
import { ObjectEntries, type StoredObject } from './object-entries.ts'
import { Portal } from './portal.ts'
import type { Skylink } from './skylink.ts'

const mebi = 1024 * 1024

/** Bytes a millisecond with which even slow portals give content on to their hosts. */
const slowestUpload = 1000

/** Settings of {@link openSkynetBlobStore}. */
export interface SkynetBlobStoreOptions extends SpoolingOptions {
  /** Scheme, host and port of the portal. */
  portalUrl: string
  /** What the portal asks for as `Skynet-Api-Key`, or null. */
  apiKey: string | null
  /** A secret that all servers of the registry share; the entries by which objects are found are signed with what follows from it. */
  secret: string
  /** See `BlobStore.public`; true unless said otherwise, since everybody reads from Skynet who knows a skylink. */
  public?: boolean
  /** The name of the registry among those that use the same secret. */
  registry?: string
  /** Milliseconds that the portal may stay silent while something is awaited from it. */
  timeout?: number
  /** Milliseconds in which something is tried again that did not reach it. */
  retryWithin?: number
}

/**
 * Opens a portal of Skynet as a blob store. Nothing is sent.
 * @throws TypeError when the URL is none.
 */
export async function openSkynetBlobStore(
  options: SkynetBlobStoreOptions,
): Promise<BlobStore & KeepsIdentity> {
  return new SkynetBlobStore(options, await EntryKey.derive(options.secret))
}

/**
 * A portal of Skynet. It has no list, and whether it deletes is its own affair: what is deleted is not found any more, and the
 * portal is asked to let it go.
 */
class SkynetBlobStore extends SpoolingStore implements BlobStore {
  readonly backend = 'skynet'
  readonly public: boolean
  readonly place: string
  /** Entries belong to a key, whichever portal answers. */
  readonly mountable = false
  readonly #portal: Portal
  readonly #key: EntryKey
  readonly #entries: ObjectEntries
  readonly #retryWithin: number

  constructor(options: SkynetBlobStoreOptions, key: EntryKey) {
    const { timeout = defaultTimeout, retryWithin = defaultRetry, registry = 'openregistry' } = options
    const url = new URL(options.portalUrl).origin
    const portal = new Portal({ url, apiKey: options.apiKey, timeout, retryWithin })
    const entries = new ObjectEntries({ portal, key, registry, retryWithin })
    // Of those who claim at once hashes decide, not who comes last: there is nothing to wait for.
    super(new ClaimedIdentity(entryTexts(entries), 0), options)
    this.public = options.public ?? true
    this.place = `the Skynet portal ${url} (dfs.skynet.portal_url)`
    this.#portal = portal
    this.#key = key
    this.#entries = entries
    this.#retryWithin = retryWithin
  }

  protected async isUsed(key: StorageKey): Promise<boolean> {
    return (await this.#entries.find(key)) !== null
  }

  /** The entry comes last: an object is there when it is found. */
  protected async store(key: StorageKey, content: Spooled, signal: AbortSignal | undefined): Promise<void> {
    const { size } = content
    const longer = size / slowestUpload
    const name = key.replace('/', '.')
    const upload = (): Promise<Skylink> => this.#portal.upload(name, piecesOf(content), { longer, signal })
    const skylink = await persistently(upload, { within: this.#retryWithin, signal })
    try {
      signal?.throwIfAborted()
      await this.#entries.add(key, { skylink, size }, signal)
      signal?.throwIfAborted()
    } catch (error) {
      await this.#tidy(key, skylink)
      throw error
    }
  }

  /** What cannot be taken back now stays at the portal, found by nobody; the first error is the one that matters. */
  async #tidy(key: StorageKey, skylink: Skylink): Promise<void> {
    await this.#entries.remove(key).catch(() => undefined)
    await this.#portal.unpin(skylink).catch(() => undefined)
  }

  async open(key: StorageKey, range?: ByteRange): Promise<ObjectReader | null> {
    const found = await this.#find(key)
    if (found === null) return null
    const { skylink, size } = found
    return this.reader(this.#portal.source(skylink, size), size, within(size, range))
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    const found = await this.#find(key)
    return found && { size: found.size }
  }

  /** An object whose content the portal finds. */
  async #find(key: StorageKey): Promise<StoredObject | null> {
    const found = await this.#entries.find(key)
    if (found === null || found === 'deleted') return null
    const { skylink, size } = found
    const there = await persistently(() => this.#portal.size(skylink), { within: this.#retryWithin })
    if (there === null) return null
    if (there === size) return found
    throw new RegistryError('STORAGE_UNAVAILABLE', undefined, {
      cause: `the portal has ${there} bytes of ${key}, which has ${size}`,
    })
  }

  async delete(key: StorageKey): Promise<void> {
    const found = await this.#entries.find(key)
    if (found === null || found === 'deleted') return
    // The entry leads there until it is asked for, so that an interrupted deletion is one that can be done again.
    await persistently(() => this.#portal.unpin(found.skylink), { within: this.#retryWithin })
    await this.#entries.remove(key)
  }

  async check(): Promise<void> {
    try {
      await this.#portal.entry(this.#key.publicKey, new Uint8Array(32), { timeout: checkTimeout })
      await this.#portal.tryUpload(checkTimeout)
    } catch (error) {
      throw checkFault(this.place, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#portal[Symbol.dispose]()
  }
}

/** Spooled content in pieces, each valid until the next one is asked for. */
async function* piecesOf(content: Spooled): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(Math.min(mebi, content.size))
  for (let at = 0; at < content.size; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, content.size - at))
    await content.read(piece, at)
    yield piece
  }
}
