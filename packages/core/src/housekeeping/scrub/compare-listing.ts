import { lists, type BlobStore, type Lists } from '../../ports/blob-store.ts'
import type { Milliseconds } from '../../ports/metadata-store.ts'
import { newUploadId, type StorageKey } from '../../ports/storage-key.ts'
import type { Ports } from '../../settings.ts'
import { markDamage, type Damage } from './damage.ts'
import { MissingGuard } from './missing-guard.ts'
import type { ScrubObserver } from './verify-stored.ts'

/** Keys that one step looks at. */
const batchSize = 500

/** How long a part of a list is one process's. */
const listingLease: Milliseconds = 60_000

/** Which lists to compare. */
export interface ListingOptions {
  /** Only parts that were compared before this moment of the database's clock. */
  listedBefore: Milliseconds
  /** How long ago a surplus object must have been found before it is deleted. */
  age: Milliseconds
  /** Deletes surplus objects however many they are. */
  confirmed: boolean
  /** Marks missing objects however many they are; false unless said otherwise. */
  acceptMissing?: boolean
  /** Parts at most; null: all. */
  most: number | null
  lease?: Milliseconds
  observer: ScrubObserver
}

/** What comparing lists with rows has come to. */
export interface ListingsCompared {
  /** Objects that backends hold, of the parts that were compared. */
  listed: number
  /** Objects whose rows are there and which are not. */
  missing: Damage[]
  /** Objects that no row names. */
  surplus: number
  /** Of those: given to the pending deletes. */
  deleted: number
  /** Of those: kept, since they are too many to be left-overs. */
  withheld: number
  /** Backends that cannot say what they hold. */
  unlisted: string[]
  /** Whether it stopped because of `most`. */
  more: boolean
}

/**
 * Compares what backends hold with what rows name, in parts, the one first that was compared longest ago.
 * @throws RegistryError storage faults; `STORAGE_UNAVAILABLE` when too many objects are missing; the reason of the signal.
 */
export async function compareListings(
  ports: Ports,
  options: ListingOptions,
  signal?: AbortSignal,
): Promise<ListingsCompared> {
  const done: ListingsCompared = {
    listed: 0,
    missing: [],
    surplus: 0,
    deleted: 0,
    withheld: 0,
    unlisted: [],
    more: false,
  }
  const guard = new MissingGuard(ports, options.acceptMissing === true)
  let parts = 0
  for (const [backend, store] of ports.backends) {
    if (!lists(store)) {
      done.unlisted.push(backend)
      continue
    }
    while (options.most === null || parts < options.most) {
      signal?.throwIfAborted()
      if (!(await comparePart(ports, { backend, store, guard }, options, done, signal))) break
      parts++
    }
    if (parts === options.most) done.more = true
  }
  return done
}

/** Compares one part; false when none is due. */
async function comparePart(
  ports: Ports,
  { backend, store, guard }: { backend: string; store: BlobStore & Lists; guard: MissingGuard },
  { listedBefore, age, confirmed, lease = listingLease, observer }: ListingOptions,
  done: ListingsCompared,
  signal?: AbortSignal,
): Promise<boolean> {
  const { metadata } = ports
  const claim: string = newUploadId()
  const part = await metadata.claimListing({ backend, claim, lease, listedBefore })
  if (part === null) return false
  const { prefix, now } = part
  const held = new Set<StorageKey>()
  for await (const keys of batchesOf(store.list(prefix))) {
    signal?.throwIfAborted()
    for (const key of keys) held.add(key)
    done.surplus += (await metadata.noteSurplus({ backend, keys, age })).length
  }
  done.listed += held.size
  for (const damage of await findMissing(ports, { backend, store, guard, prefix, held }, signal)) {
    done.missing.push(damage)
    observer.damage?.(damage)
  }
  const { deleted, withheld } = await metadata.deleteSurplus({ backend, prefix, age, confirmed })
  done.deleted += deleted
  done.withheld += withheld
  await metadata.endListing({ backend, prefix, claim, now })
  return true
}

/** Rows whose object was not in the list, and is not there when it is asked for either. */
async function findMissing(
  { metadata }: Ports,
  part: {
    backend: string
    store: BlobStore
    guard: MissingGuard
    prefix: string
    held: ReadonlySet<StorageKey>
  },
  signal?: AbortSignal,
): Promise<Damage[]> {
  const { backend, store, guard, prefix, held } = part
  const missing: Damage[] = []
  for (let after: string | null = null, more = true; more;) {
    signal?.throwIfAborted()
    const page = await metadata.listKeys(backend, prefix, { after, limit: batchSize })
    for (const key of page.items) {
      if (held.has(key) || (await store.stat(key)) !== null) continue
      await guard.allow(backend)
      const at = { kind: 'object', backend, key } as const
      const damage = await markDamage(metadata, { at, state: 'missing' }, 'the backend has no such object')
      if (damage !== null) missing.push(damage)
    }
    after = page.items.at(-1) ?? null
    more = page.more
  }
  return missing
}

async function* batchesOf(keys: AsyncIterable<StorageKey>): AsyncGenerator<StorageKey[], void, undefined> {
  let batch: StorageKey[] = []
  for await (const key of keys) {
    batch.push(key)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
