import type { Milliseconds } from '../../ports/metadata-store.ts'
import type { Ports } from '../../settings.ts'
import { compareListings } from './compare-listing.ts'
import type { Damage } from './damage.ts'
import { Pace } from './pace.ts'
import { verifyStored, type ScrubObserver } from './verify-stored.ts'

/** Seconds of reading, at the bounded rate, that one round is worth. */
const roundLength = 10
/** Bytes of one round when the rate has no bound, and locations of any round. */
const roundBytes = 256 * 1024 * 1024
const roundObjects = 1000

/** How a round in the background goes. */
export interface ScrubOptions {
  /** Bytes a second; 0: no bound. */
  rate: number
  /** Everything is read again once in this time. */
  interval: Milliseconds
  observer?: ScrubObserver
}

/** What a round has come to. */
export interface ScrubRound {
  objects: number
  bytes: number
  damaged: Damage[]
  recovered: number
  mended: number
  /** Objects that no row names, of the part of the list that was compared. */
  surplus: number
  deleted: number
  withheld: number
  /** Whether another round would find something to do at once. */
  more: boolean
}

/**
 * One bounded round of scrub, for the background: a part of a backend's list, and stored bytes for about ten seconds.
 * Safe on any number of replicas at once, and after a crash anywhere.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when a backend is away; the reason of the signal.
 */
export async function scrub(
  ports: Ports,
  { rate, interval, observer = {} }: ScrubOptions,
  signal?: AbortSignal,
): Promise<ScrubRound> {
  const before = (await ports.metadata.databaseTime()) - interval
  const lists = await compareListings(
    ports,
    { listedBefore: before, age: ports.settings.uploadLifetime, confirmed: false, most: 1, observer },
    signal,
  )
  const most = { objects: roundObjects, bytes: rate === 0 ? roundBytes : rate * roundLength }
  const verified = await verifyStored(
    ports,
    { verifiedBefore: before, pace: new Pace(rate), repository: null, most, observer },
    signal,
  )
  return {
    objects: verified.objects,
    bytes: verified.bytes,
    damaged: [...lists.missing, ...verified.damaged],
    recovered: verified.recovered,
    mended: verified.mended,
    surplus: lists.surplus,
    deleted: lists.deleted,
    withheld: lists.withheld,
    more: lists.more || verified.more,
  }
}
