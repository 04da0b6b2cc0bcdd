import { RegistryError, parseRange, type Digest, type RepositoryName } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import { redirectsReads, type ByteRange } from '../ports/blob-store.ts'
import type { BlobLocation, LinkedBlob } from '../ports/metadata-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { openLocation } from './open-location.ts'

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
 * another good place is read if there is one.
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
  const { metadata } = ports
  let absent: StorageKey | null = null
  let noticed: string | null = null
  for (;;) {
    const found = await requireBlob(ports, principal, input, true).catch((error: unknown) => {
      throw noticed === null ? error : unreadable(noticed)
    })
    const { blob, location } = found
    const range = requireRange(input.rangeHeader, blob.size)
    const opened = await openAt(ports, location, blob, { range, mayRedirect: input.mayRedirect === true })
    if (typeof opened === 'object') return opened
    if (location.kind === 'inline') throw unreadable('inline bytes have another size')
    // When the object went away between the row and the read, the row names another one by now, or none.
    if (opened === 'missing' && absent !== location.key) {
      absent = location.key
      continue
    }
    // Marked, so that nobody is told that it is here, and the next push replaces it. There may be another place.
    noticed = `${location.key} is ${opened}`
    await metadata.recordDamage({ state: opened, at: location })
  }
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
): Promise<{ repositoryId: string; blob: LinkedBlob; location: BlobLocation }> {
  const found = await metadata.findBlob(repository, digest, { bytes })
  authorize(principal, 'pull', repository, found?.repository ?? null)
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  if (found.blob === null || found.blob.location === null) throw new RegistryError('BLOB_UNKNOWN')
  return { repositoryId: found.repository.id, blob: found.blob, location: found.blob.location }
}

function requireRange(header: string | undefined, size: number): ByteRange | null {
  const range = parseRange(header, size)
  if (range === 'whole') return null
  if (range === 'unsatisfiable') {
    throw new RegistryError('RANGE_INVALID', `The blob has ${size} bytes.`, { detail: { size } })
  }
  return range
}

async function openAt(
  ports: Ports,
  location: BlobLocation,
  { digest, size, cid }: LinkedBlob,
  { range, mayRedirect }: { range: ByteRange | null; mayRedirect: boolean },
): Promise<OpenBlob | 'missing' | 'damaged'> {
  const described = { digest, size, cid, range, redirect: null }
  const closed = { [Symbol.asyncDispose]: () => Promise.resolve() }
  if (location.kind === 'inline') {
    if (location.bytes.length !== size) return 'damaged'
    const bytes =
      range === null ? location.bytes : location.bytes.subarray(range.offset, range.offset + range.length)
    return { ...described, bytes, chunks: null, ...closed }
  }
  const store = backendNamed(ports, location.backend)
  if (mayRedirect && redirectsReads(store)) {
    const found = await store.stat(location.key)
    if (found?.size !== size) return found === null ? 'missing' : 'damaged'
    return {
      ...described,
      bytes: null,
      chunks: null,
      redirect: await store.redirect(location.key),
      ...closed,
    }
  }
  const reader = await openLocation(ports, { location, size, range })
  if (typeof reader === 'string') return reader
  return {
    ...described,
    bytes: null,
    chunks: reader.chunks,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}

/** Whether the link could be collected before half a lease is over. A link that manifests need has neither column set. */
function needsRenewal({ leaseUntil, unreferencedSince, now }: LinkedBlob, lease: number): boolean {
  if (leaseUntil === null && unreferencedSince === null) return false
  return leaseUntil === null || leaseUntil < now + lease / 2
}
