import { RegistryError, parseRange, type Digest, type RepositoryName } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { ByteRange, ObjectReader } from '../ports/blob-store.ts'
import type { BlobLocation, LinkedBlob } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'

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
 * Opens a blob of a repository for reading.
 *
 * @param rangeHeader the `Range` header as it came (RFC 9110, 14.2), if any.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`, `BLOB_UNKNOWN`; `RANGE_INVALID` with `detail.size` when no byte
 * of the range exists.
 */
export async function openBlob(
  ports: Ports,
  principal: Principal,
  input: BlobInput & { rangeHeader?: string | undefined },
): Promise<OpenBlob> {
  // Once more when the object went away between the row and the read: by then the row names another one, or none.
  for (let attempt = 0; attempt < 2; attempt++) {
    const { blob, location } = await requireBlob(ports, principal, input, true)
    const opened = await openAt(ports, location, blob, requireRange(input.rangeHeader, blob.size))
    if (opened !== null) return opened
  }
  throw new RegistryError('STORAGE_UNAVAILABLE', 'The content of the blob cannot be read at the moment.')
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
  range: ByteRange | null,
): Promise<OpenBlob | null> {
  const described = { digest, size, cid, range }
  if (location.kind === 'inline') {
    const bytes =
      range === null ? location.bytes : location.bytes.subarray(range.offset, range.offset + range.length)
    return { ...described, bytes, chunks: null, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const reader = await backendNamed(ports, location.backend).open(location.key, range ?? undefined)
  if (reader === null) return null
  await requireSameSize(reader, size)
  return {
    ...described,
    bytes: null,
    chunks: reader.chunks,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}

/** Headers are sent before the bytes, so a damaged object has to be noticed here. */
async function requireSameSize(reader: ObjectReader, size: number): Promise<void> {
  if (reader.size === size) return
  await reader[Symbol.asyncDispose]()
  throw new RegistryError('STORAGE_UNAVAILABLE', 'The content of the blob is damaged.', {
    cause: `${reader.size} bytes stored, ${size} expected`,
  })
}

/** Whether the link could be collected before half a lease is over. A link that manifests need has neither column set. */
function needsRenewal({ leaseUntil, unreferencedSince, now }: LinkedBlob, lease: number): boolean {
  if (leaseUntil === null && unreferencedSince === null) return false
  return leaseUntil === null || leaseUntil < now + lease / 2
}
