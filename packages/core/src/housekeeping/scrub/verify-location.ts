import { unixfsTree } from '@openregistry/dag'
import { RegistryError, formatDigest } from '@openregistry/oci'
import type { ContentHashes } from '../../ports/content-hasher.ts'
import type { ClaimedLocation, LocationState, MendedContent } from '../../ports/scrub.ts'
import type { StorageKey } from '../../ports/storage-key.ts'
import { pieces } from '../../push/pieces.ts'
import { backendNamed, type Ports } from '../../settings.ts'

/** What follows from bytes whose SHA-256 is right. */
export type DerivedContent = Omit<MendedContent, 'location' | 'blobId' | 'claim'>

/** What reading a location again has shown. */
export type Verdict =
  | { kind: 'good' }
  /** The bytes are right, but the row says something else that follows from them. */
  | { kind: 'wrong-row'; content: DerivedContent }
  | { kind: 'bad'; state: Exclude<LocationState, 'good'>; cause: string }
  /** The location went away meanwhile. */
  | { kind: 'gone' }

/** Called with the size of every chunk; whoever reads waits for it. */
export type OnBytes = (bytes: number) => Promise<void>

/**
 * Reads the bytes of a location and compares them with what they must be. What is wrong at first is read once more, and is
 * damaged when it is wrong again: a bit that flipped on the way here, or a read that broke off, says nothing of the object,
 * and a push of the same content would give up good bytes for it.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when the backend is away, so that nothing can be said of what it holds.
 */
export async function verifyLocation(
  ports: Ports,
  location: ClaimedLocation,
  onBytes: OnBytes,
): Promise<Verdict> {
  const verdict = await verifyOnce(ports, location, onBytes)
  return verdict.kind === 'bad' ? verifyOnce(ports, location, onBytes) : verdict
}

async function verifyOnce(ports: Ports, location: ClaimedLocation, onBytes: OnBytes): Promise<Verdict> {
  const row = await ports.metadata.readLocation(location.id)
  if (row === null) return { kind: 'gone' }
  const read = await hashesOf(ports, location, row.bytes, onBytes)
  return 'kind' in read ? read : compare(ports, location, row.leaves, read)
}

async function hashesOf(
  ports: Ports,
  location: ClaimedLocation,
  inline: Uint8Array | null,
  onBytes: OnBytes,
): Promise<ContentHashes | Verdict> {
  const { place } = location
  if (place.kind === 'object') return hashReadable(ports, place, location.sha512 !== null, onBytes)
  if (inline === null) return { kind: 'gone' }
  await onBytes(inline.length)
  return ports.hasher.hashInline(inline, { sha512: location.sha512 !== null })
}

/** What the system says when this one object cannot be read, now or later; anything else may pass. */
const lasting = new Set(['EIO', 'EUCLEAN', 'EBADMSG', 'EISDIR', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'])

/**
 * An object that cannot be read while its backend is well is damaged: a bad sector is no outage. A lack of files, memory
 * or patience says nothing of the object, and to take good content out of service is worse than to look again later.
 */
async function hashReadable(
  ports: Ports,
  place: { backend: string; key: StorageKey },
  sha512: boolean,
  onBytes: OnBytes,
): Promise<ContentHashes | Verdict> {
  const store = backendNamed(ports, place.backend)
  for (let attempt = 1; ; attempt++) {
    try {
      const hashes = await hashObject(ports, place, sha512, onBytes)
      return hashes ?? { kind: 'bad', state: 'missing', cause: 'the backend has no such object' }
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'STORAGE_UNAVAILABLE') throw error
      await store.check()
      if (attempt === 1) continue
      if (!isLasting(error)) throw error
      return { kind: 'bad', state: 'damaged', cause: `it cannot be read: ${reasonOf(error)}` }
    }
  }
}

async function hashObject(
  ports: Ports,
  { backend, key }: { backend: string; key: StorageKey },
  sha512: boolean,
  onBytes: OnBytes,
): Promise<ContentHashes | null> {
  await using reader = await backendNamed(ports, backend).open(key)
  if (reader === null) return null
  using run = ports.hasher.begin({ sha512 })
  const cut = pieces(paced(reader.chunks, onBytes), { hasher: ports.hasher, run, limit: 0 })
  // Each piece is hashed before the next one is asked for; nothing else is done with it.
  while ((await cut.next()).done !== true);
  return run.finish()
}

async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: OnBytes,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    await onBytes(chunk.length)
    yield chunk
  }
}

function compare(
  { hasher }: Ports,
  location: ClaimedLocation,
  leaves: Uint8Array,
  hashes: ContentHashes,
): Verdict {
  const sha256 = formatDigest('sha256', hashes.sha256)
  if (sha256 !== location.sha256) {
    const size = hashes.size === location.size ? '' : `${hashes.size} bytes instead of ${location.size}, `
    return { kind: 'bad', state: 'damaged', cause: `${size}the content has the digest ${sha256}` }
  }
  const { cid, nodes } = unixfsTree(hashes, (bytes) => hasher.hashInline(bytes, { sha512: false }).sha256)
  const sha512 = hashes.sha512 === null ? null : formatDigest('sha512', hashes.sha512)
  const same =
    hashes.size === location.size &&
    sha512 === location.sha512 &&
    cid === location.cid &&
    equal(hashes.leaves, leaves)
  if (same) return { kind: 'good' }
  return {
    kind: 'wrong-row',
    content: { size: hashes.size, sha512, cid, leaves: hashes.leaves, nodes },
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function isLasting({ cause }: RegistryError): boolean {
  return cause instanceof Error && 'code' in cause && lasting.has(String(cause.code))
}

function reasonOf({ message, cause }: RegistryError): string {
  if (cause instanceof Error) return cause.message
  return typeof cause === 'string' ? cause : message
}
