import { RegistryError, parseRange, type Digest, type RepositoryName } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import { redirectsReads, type ByteRange } from '../ports/blob-store.ts'
import type { BlobLocation, LinkedBlob } from '../ports/metadata-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { ContinuedReader } from './continued-reader.ts'
import { isAway } from './is-away.ts'
import { openLocation, type ObjectLocation } from './open-location.ts'

/** Which blob of which repository. */
export interface BlobInput {
  repository: RepositoryName
  digest: Digest
}

/** What can be said of a blob without its bytes. */
export interface BlobDescription {
  digest: Digest
  size: number
  cid: Cid
}

/** A blob that is being read; close it. `range` is null when all of it is. */
export interface OpenBlob extends BlobDescription, AsyncDisposable {
  range: ByteRange | null
  /** Small blobs, at once. */
  bytes: Uint8Array | null
  /** The others, as a stream; a chunk is valid until the next one is asked for. */
  chunks: AsyncIterable<Uint8Array> | null
  /** In place of both: where the client may fetch it for some minutes. A secret, like what is there. */
  redirect: string | null
}

/**
 * Describes a blob of a repository. A client that hears "it is here" may rely on it: a link without a manifest gets
 * more time.
 *
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`, `BLOB_UNKNOWN`.
 */
export async function describeBlob(
  ports: Ports,
  principal: Principal,
  input: BlobInput,
): Promise<BlobDescription> {
  const { repositoryId, blob } = await requireBlob(ports, principal, input, false)
  if (needsRenewal(blob, ports.settings.lease)) {
    const alive = await ports.metadata.renewLease(repositoryId, input.digest, ports.settings.lease / 2)
    if (!alive) throw new RegistryError('BLOB_UNKNOWN')
  }
  return { digest: input.digest, size: blob.size, cid: blob.cid }
}

/**
 * Opens a blob of a repository for reading. An object that is missing or has another size than its row says is marked, and
 * another good place is read if there is one; so it is when a backend is away, now or on the way.
 *
 * @param rangeHeader the `Range` header as it came (RFC 9110, 14.2), if any.
 * @param mayRedirect whether whoever asks can be sent elsewhere; then a backend that wants it is not read at all.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`, `BLOB_UNKNOWN`; `RANGE_INVALID` with `detail.size` when no byte
 * of the range exists; `STORAGE_UNAVAILABLE`.
 */
export async function openBlob(
  ports: Ports,
  principal: Principal,
  input: BlobInput & { rangeHeader?: string | undefined; mayRedirect?: boolean },
): Promise<OpenBlob> {
  const tried: Tried = { absent: null, away: new Set(), fault: null }
  for (;;) {
    const { blob } = await requireBlob(ports, principal, input, true).catch((error: unknown) => {
      throw tried.fault ?? error
    })
    const range = requireRange(input.rangeHeader, blob.size)
    const wanted = { range, mayRedirect: input.mayRedirect === true }
    const opened = await openAnywhere(ports, blob, wanted, tried)
    if (opened !== null) return opened
  }
}

/** What is asked for of a blob. */
interface Wanted {
  range: ByteRange | null
  mayRedirect: boolean
}

/** What one request has found out about places of a blob. */
interface Tried {
  /** The key of an object that was not there when it was asked for first. */
  absent: StorageKey | null
  /** Backends that cannot be read. */
  away: Set<string>
  /** Why, for when nothing else is left. */
  fault: unknown
}

/** Opens the first place that may do. Null when the rows have to be read again. @throws RegistryError when none is left. */
async function openAnywhere(
  ports: Ports,
  blob: LinkedBlob,
  wanted: Wanted,
  tried: Tried,
): Promise<OpenBlob | null> {
  const places = placesOf(blob).filter((place) => !tried.away.has(backendOf(place)))
  const [place, ...others] = places
  if (place === undefined) throw tried.fault
  const { digest, size, cid } = blob
  const described = { digest, size, cid, range: wanted.range, bytes: null, chunks: null, redirect: null }
  if (place.kind === 'inline') {
    if (place.bytes.length === size)
      return { ...described, bytes: part(place.bytes, wanted.range), ...nothingToClose }
    giveUp(tried, place, unreadable('inline bytes have another size'))
    return null
  }
  try {
    const opened =
      (await redirectTo(ports, place, size, wanted)) ?? (await openObject(ports, place, others, blob, wanted))
    if (typeof opened === 'object') return { ...described, ...opened }
    await notice(ports, place, opened, tried)
  } catch (error) {
    if (!isAway(error)) throw error
    giveUp(tried, place, error)
  }
  return null
}

const nothingToClose = { [Symbol.asyncDispose]: () => Promise.resolve() }

/** Where a client fetches it from the backend itself; null when it does not. */
async function redirectTo(
  ports: Ports,
  { backend, key }: ObjectLocation,
  size: number,
  { mayRedirect }: Wanted,
): Promise<(Pick<OpenBlob, 'redirect'> & AsyncDisposable) | 'missing' | 'damaged' | null> {
  const store = backendNamed(ports, backend)
  if (!mayRedirect || !redirectsReads(store)) return null
  const found = await store.stat(key)
  if (found?.size !== size) return found === null ? 'missing' : 'damaged'
  return { redirect: await store.redirect(key), ...nothingToClose }
}

/** Opens it here, and goes on at the others when its backend fails on the way. */
async function openObject(
  ports: Ports,
  location: ObjectLocation,
  others: readonly BlobLocation[],
  { size }: LinkedBlob,
  { range }: Wanted,
): Promise<(Pick<OpenBlob, 'chunks'> & AsyncDisposable) | 'missing' | 'damaged'> {
  const opened = await openLocation(ports, { location, size, range })
  if (typeof opened === 'string') return opened
  const next = others.filter((other) => other.kind === 'object')
  const reader = next.length === 0 ? opened : new ContinuedReader(ports, opened, range, next)
  return { chunks: reader.chunks, [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose]() }
}

/** Marks what is missing or damaged, so that nobody is told that it is here, and the next push replaces it. */
async function notice(
  { metadata }: Ports,
  place: ObjectLocation,
  state: 'missing' | 'damaged',
  tried: Tried,
): Promise<void> {
  // When the object went away between the row and the read, the row names another one by now, or none.
  if (state === 'missing' && tried.absent !== place.key) {
    tried.absent = place.key
    return
  }
  tried.fault = unreadable(`${place.key} is ${state}`)
  await metadata.recordDamage({ state, at: place })
}

function giveUp(tried: Tried, place: BlobLocation, fault: unknown): void {
  tried.away.add(backendOf(place))
  tried.fault ??= fault
}

function placesOf({ location, others }: LinkedBlob): BlobLocation[] {
  return location === null ? [] : [location, ...others]
}

function backendOf(place: BlobLocation): string {
  return place.kind === 'inline' ? 'inline' : place.backend
}

function part(bytes: Uint8Array, range: ByteRange | null): Uint8Array {
  return range === null ? bytes : bytes.subarray(range.offset, range.offset + range.length)
}

function unreadable(cause: string): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', 'The content of the blob is damaged; push it again.', {
    cause,
  })
}

async function requireBlob(
  { metadata }: Ports,
  principal: Principal,
  { repository, digest }: BlobInput,
  bytes: boolean,
): Promise<{ repositoryId: string; blob: LinkedBlob }> {
  const found = await metadata.findBlob(repository, digest, { bytes })
  authorize(principal, 'pull', repository, found?.repository ?? null)
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  if (found.blob === null || found.blob.location === null) throw new RegistryError('BLOB_UNKNOWN')
  return { repositoryId: found.repository.id, blob: found.blob }
}

function requireRange(header: string | undefined, size: number): ByteRange | null {
  const range = parseRange(header, size)
  if (range === 'whole') return null
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', `The blob has ${size} bytes.`, { detail: { size } })
  }
  return range
}

/** Whether the link could be collected before half a lease is over. A link that manifests need has neither column set. */
function needsRenewal({ leaseUntil, unreferencedSince, now }: LinkedBlob, lease: number): boolean {
  if (leaseUntil === null && unreferencedSince === null) return false
  return leaseUntil === null || leaseUntil < now + lease / 2
}
