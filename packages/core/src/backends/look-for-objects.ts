import type { BlobStore } from '../ports/blob-store.ts'
import { randomHex } from '../ports/random-hex.ts'
import type { ScrubStore } from '../ports/scrub.ts'
import type { StorageKey } from '../ports/storage-key.ts'

/** Places among all keys that are looked at, and keys at each: enough to notice when a tenth is missing. */
const places = 16
const keysAtEach = 8

/** Objects that are asked for at once. */
const atOnce = 8

/** Of what the database names in a backend: how much was looked for, and not found. */
export interface Presence {
  asked: number
  missing: number
}

/**
 * Looks whether objects that the database has no doubt about are in a backend: all of a few, else a sample. Costs the same
 * however many there are.
 * @throws RegistryError faults of the backend and of the database.
 */
export async function lookForObjects(
  metadata: Pick<ScrubStore, 'listKeys'>,
  store: Pick<BlobStore, 'backend' | 'stat'>,
): Promise<Presence> {
  const keys = await sampleKeys(metadata, store.backend)
  let missing = 0
  for (let at = 0; at < keys.length; at += atOnce) {
    const found = await Promise.all(keys.slice(at, at + atOnce).map((key) => store.stat(key)))
    missing += found.filter((object) => object === null).length
  }
  return { asked: keys.length, missing }
}

/** Whether a tenth is missing at most, or no more than `spared`, which says little where there are few. */
export function fewAreMissing({ asked, missing }: Presence, spared: number): boolean {
  return missing <= Math.max(spared, asked / 10)
}

/** Whether a backend is where the objects of a database are, as far as they can tell. */
export function hasMost(presence: Presence): boolean {
  return presence.missing < presence.asked && fewAreMissing(presence, 1)
}

/** Keys are random, so those that follow a random one are a fair sample; several places, since folders are lost as a whole. */
async function sampleKeys(
  metadata: Pick<ScrubStore, 'listKeys'>,
  backend: string,
): Promise<readonly StorageKey[]> {
  const first = await metadata.listKeys(backend, '', { after: null, limit: places * keysAtEach })
  if (!first.more) return first.items
  const keys = new Set<StorageKey>()
  for (let place = 0; place < places; place++) {
    const page = await metadata.listKeys(backend, '', { after: randomHex(), limit: keysAtEach })
    for (const key of page.items) keys.add(key)
  }
  return [...keys]
}
