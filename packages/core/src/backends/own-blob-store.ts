import { RegistryError } from '@openregistry/oci'
import { isTrusted, lists, listsUploads, type BlobStore } from '../ports/blob-store.ts'
import { pinsLayouts, type PinsLayouts } from '../ports/layout-pins.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import type { Ownable } from './late-ownership.ts'

type Method = (...input: never[]) => unknown

/**
 * A store that answers for the right backend alone. That something is not there is said only after the backend has shown
 * that it is the one that the database means; so nothing is marked as missing, no deletion is forgotten and no list is
 * believed because a disk is not mounted. What is written is stored there, or the write fails. Reads of what is there cost
 * nothing more. Other abilities of the store stay as they are.
 *
 * Every operation throws what `Ownership` throws.
 */
export function ownBlobStore<T extends BlobStore>(store: T, ownership: Ownable): T {
  const methods = new Map<string | symbol, Method>(Object.entries(believed(store, ownership)))
  const guarded = ownership.mountable ? stored(store, ownership) : given(store, ownership)
  for (const [name, method] of Object.entries(guarded)) methods.set(name, method)
  if (lists(store)) methods.set('list', believedList(store.list.bind(store), ownership))
  if (listsUploads(store)) methods.set('listUploads', believedList(store.listUploads.bind(store), ownership))
  if (pinsLayouts(store))
    for (const [name, method] of Object.entries(pinned(store, ownership))) methods.set(name, method)
  return new Proxy(store, {
    get(target, name) {
      const known = methods.get(name)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      // Drivers keep private fields, which a proxy does not have.
      const bound = (value as Method).bind(target)
      methods.set(name, bound)
      return bound
    },
  })
}

/** What says that something is not there. */
function believed(store: BlobStore, ownership: Ownable): Pick<BlobStore, 'open' | 'stat' | 'check'> {
  // Asked again, since the disk may have come back between the answer and its confirmation.
  const unlessAway = async <T>(ask: () => Promise<T | null>): Promise<T | null> => {
    const found = await ask()
    if (found !== null) return found
    await ownership.confirm()
    return ask()
  }
  return {
    open: (key, range) => unlessAway(() => store.open(key, range)),
    stat: (key) => unlessAway(() => store.stat(key)),
    async check() {
      // What is across a network says best itself why it does not answer. A probe on a disk is for the right one alone.
      if (!isTrusted(store)) await store.check()
      await ownership.confirm()
      if (isTrusted(store)) await store.check()
    },
  }
}

/** What is done to a place that stays what it is, once it is known to be the right one. */
function given(store: BlobStore, ownership: Ownable): Pick<BlobStore, 'write' | 'delete'> {
  return {
    async write(key, source, options) {
      await ownership.presume()
      return store.write(key, source, options)
    },
    async delete(key) {
      await ownership.presume()
      await store.delete(key)
    },
  }
}

/** What is done to a place that may have become another one. */
function stored(store: BlobStore, ownership: Ownable): Pick<BlobStore, 'write' | 'delete'> {
  return {
    async write(key, source, options) {
      await ownership.presume()
      const written = await store.write(key, source, options)
      try {
        await ownership.confirm()
        // The disk may have been away for the length of this write alone: then the object lies beneath it.
        if ((await store.stat(key)) === null) throw lostAtOnce(key)
      } catch (error) {
        // Nobody was told that it is there.
        await store.delete(key).catch(() => undefined)
        throw error
      }
      return written
    },
    async delete(key) {
      await ownership.confirm()
      await store.delete(key)
      await ownership.confirm()
    },
  }
}

/** What is said of pins is believed of the right backend alone, too. */
function pinned(store: PinsLayouts, ownership: Ownable): PinsLayouts {
  const here = async <T>(ask: () => Promise<T>): Promise<T> => {
    await ownership.confirm()
    const answer = await ask()
    await ownership.confirm()
    return answer
  }
  return {
    pinLayout: (layout) => here(() => store.pinLayout(layout)),
    unpinLayout: (root) => here(() => store.unpinLayout(root)),
    hasLayout: (root) => here(() => store.hasLayout(root)),
  }
}

function lostAtOnce(key: StorageKey): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `${key} was written, and is not where the backend is now`,
  })
}

/** What a list does not have is not there once the list has come to its end. */
function believedList<T>(
  list: (wanted: T) => AsyncIterable<StorageKey>,
  ownership: Ownable,
): (wanted: T) => AsyncGenerator<StorageKey, void, undefined> {
  return async function* (wanted) {
    await ownership.confirm()
    yield* list(wanted)
    await ownership.confirm()
  }
}
