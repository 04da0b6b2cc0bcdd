import { lists, type BlobStore, type Lists } from '../ports/blob-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import type { Ownership } from './ownership.ts'

type Method = (...input: never[]) => unknown

/**
 * A store that answers for the right backend alone. That something is not there is said only after the backend has shown
 * that it is the one that the database means; so nothing is marked as missing, no deletion is forgotten and no list is
 * believed because a disk is not mounted. What is written is stored there, or the write fails. Reads of what is there cost
 * nothing more. Other abilities of the store stay as they are.
 *
 * Every operation throws what `Ownership` throws.
 */
export function ownBlobStore<T extends BlobStore>(store: T, ownership: Ownership): T {
  const methods = new Map<string | symbol, Method>(Object.entries(guarded(store, ownership)))
  if (lists(store)) methods.set('list', guardedList(store, ownership))
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

function guarded(
  store: BlobStore,
  ownership: Ownership,
): Pick<BlobStore, 'write' | 'open' | 'stat' | 'delete' | 'check'> {
  const unlessAway = async <T>(answer: Promise<T | null>): Promise<T | null> => {
    const found = await answer
    if (found === null) await ownership.confirm()
    return found
  }
  return {
    async write(key, source, options) {
      await ownership.presume()
      const written = await store.write(key, source, options)
      try {
        await ownership.confirm()
      } catch (error) {
        // It may lie in a folder that the disk will hide when it is back. Nobody was told that it is there.
        await store.delete(key).catch(() => undefined)
        throw error
      }
      return written
    },
    open: (key, range) => unlessAway(store.open(key, range)),
    stat: (key) => unlessAway(store.stat(key)),
    async delete(key) {
      await ownership.presume()
      await store.delete(key)
      await ownership.confirm()
    },
    async check() {
      await ownership.confirm()
      await store.check()
    },
  }
}

/** What a list does not have is not there once the list has come to its end. */
function guardedList(store: Lists, ownership: Ownership): Lists['list'] {
  return async function* (prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    yield* store.list(prefix)
    await ownership.confirm()
  }
}
