import { RegistryError, type RepositoryName } from '@openregistry/oci'
import type { Milliseconds } from '../../ports/metadata-store.ts'
import type { ClaimedLocation, LocationDamage } from '../../ports/scrub.ts'
import { newUploadId } from '../../ports/storage-key.ts'
import type { Ports } from '../../settings.ts'
import { ClaimedBatch } from './claimed-batch.ts'
import { markDamage, type Damage } from './damage.ts'
import { MissingGuard } from './missing-guard.ts'
import type { Pace } from './pace.ts'
import { verifyLocation, type Verdict } from './verify-location.ts'

/** Locations that are claimed at once. */
const batchSize = 32

/** How long claims hold when whoever made them is killed. Renewed while it reads. */
export const claimLease: Milliseconds = 10_000

/** Told of what happens while it happens. */
export interface ScrubObserver {
  /** Bytes were read. */
  read?(bytes: number): void
  /** One more location was looked at. */
  verified?(): void
  /** Bytes are damaged or missing, and marked. */
  damage?(damage: Damage): void
}

/** Which stored bytes to verify, and how fast. */
export interface VerifyOptions {
  /** Only what was verified before this moment of the database's clock. */
  verifiedBefore: Milliseconds
  pace: Pace
  /** Only what this repository has; null: everything. */
  repository: RepositoryName | null
  /** Marks missing objects however many they are; false unless said otherwise. */
  acceptMissing?: boolean
  /** Stops after as many bytes or locations; null: when nothing is left. */
  most: { objects: number; bytes: number } | null
  /** {@link claimLease} unless a test wants another. */
  lease?: Milliseconds
  observer: ScrubObserver
}

/** What verifying has come to. */
export interface Verified {
  /** Locations that were read. */
  objects: number
  bytes: number
  damaged: Damage[]
  /** Locations that were marked before and turned out to be good: their bytes are served again. */
  recovered: number
  /** Rows that were corrected, since they disagreed with bytes whose SHA-256 is right. */
  mended: number
  /** Whether it stopped because of `most`. */
  more: boolean
}

/**
 * Reads stored bytes again, those first that were verified longest ago. Any number of these may run at once, on any
 * replicas, and be killed anywhere: what was not recorded is read again when its claim is over.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when a backend is away, or too many objects are missing; the reason of the signal.
 */
export async function verifyStored(
  ports: Ports,
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<Verified> {
  const done: Verified = { objects: 0, bytes: 0, damaged: [], recovered: 0, mended: 0, more: false }
  const guard = new MissingGuard(ports, options.acceptMissing === true)
  for await (const among of contentOf(ports, options.repository)) {
    for (;;) {
      signal?.throwIfAborted()
      const claim: string = newUploadId()
      const lease = options.lease ?? claimLease
      const locations = await ports.metadata.claimLocations({
        claim,
        lease,
        limit: batchSize,
        verifiedBefore: options.verifiedBefore,
        blobs: among,
      })
      if (locations.length === 0) break
      const ids = locations.map(({ id }) => id)
      await using batch = new ClaimedBatch(ports.metadata, claim, ids, lease)
      await verifyBatch(ports, { batch, locations, guard, options, done }, signal)
      if (done.more) return done
    }
  }
  return done
}

/** Blobs to look at, page by page, or null for all of them at once. @throws RegistryError `NAME_UNKNOWN`. */
async function* contentOf(
  { metadata }: Ports,
  repository: RepositoryName | null,
): AsyncGenerator<number[] | null, void, undefined> {
  if (repository === null) return yield null
  for (const kind of ['blobs', 'manifests'] as const) {
    for (let after: string | null = null, more = true; more;) {
      const page = await metadata.listRepositoryContent(repository, kind, { after, limit: batchSize })
      if (page === null) {
        throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
      }
      if (page.items.length > 0) yield page.items.map(({ blobId }) => blobId)
      after = page.items.at(-1)?.digest ?? null
      more = page.more
    }
  }
}

interface BatchWork {
  batch: ClaimedBatch
  locations: readonly ClaimedLocation[]
  guard: MissingGuard
  options: VerifyOptions
  done: Verified
}

async function verifyBatch(ports: Ports, work: BatchWork, signal?: AbortSignal): Promise<void> {
  const { batch, options, done } = work
  const onBytes = async (bytes: number): Promise<void> => {
    done.bytes += bytes
    options.observer.read?.(bytes)
    // However slow the rate, the claims are looked after every second.
    const { pace } = options
    for (let left = bytes; left > 0; left -= pace.perSecond) {
      await batch.keep()
      await pace.spend(Math.min(left, pace.perSecond), signal)
    }
  }
  for (const location of work.locations) {
    signal?.throwIfAborted()
    if (options.most !== null && (done.objects >= options.most.objects || done.bytes >= options.most.bytes)) {
      done.more = true
      return
    }
    await batch.keep()
    await settle(ports, work, location, await verifyLocation(ports, location, onBytes))
    options.observer.verified?.()
  }
}

async function settle(
  { metadata }: Ports,
  { batch, guard, options, done }: BatchWork,
  location: ClaimedLocation,
  verdict: Verdict,
): Promise<void> {
  done.objects++
  if (verdict.kind === 'good' || verdict.kind === 'wrong-row') {
    if (location.state !== 'good') done.recovered++
  }
  if (verdict.kind === 'good') return batch.verified(location.id)
  if (verdict.kind === 'wrong-row') {
    const { id, blobId } = location
    await metadata.mendContent({ ...verdict.content, location: id, blobId, claim: batch.claim })
    done.mended++
  } else if (verdict.kind === 'bad') {
    if (verdict.state === 'missing' && location.state !== 'missing') await allowMissing(guard, location)
    const damage = await markDamage(metadata, damageOf(location, batch.claim, verdict.state), verdict.cause)
    if (damage !== null) {
      done.damaged.push(damage)
      options.observer.damage?.(damage)
    }
  }
  batch.settled(location.id)
}

/** Bytes in the database are never missing: their row is. */
async function allowMissing(guard: MissingGuard, { place }: ClaimedLocation): Promise<void> {
  if (place.kind === 'object') await guard.allow(place.backend)
}

function damageOf(
  { id, place }: ClaimedLocation,
  claim: string,
  state: LocationDamage['state'],
): LocationDamage {
  return { state, at: place.kind === 'object' ? place : { kind: 'inline', location: id, claim } }
}
