import { RegistryError } from '@openregistry/oci'
import type { ContentHashes } from '../ports/content-hasher.ts'
import type { UploadPart, UploadSession } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { pieces } from './pieces.ts'
import { receive, type Stored } from './receive.ts'
import { renewing } from './renewing.ts'

/**
 * One place for an upload of several parts, or of one part whose sha512 is needed but was not announced. Several parts
 * are streamed into one new object and hashed in that pass; a single object is only read again.
 */
export async function joinParts(
  ports: Ports,
  session: UploadSession,
  parts: readonly UploadPart[],
  sha512: boolean,
): Promise<{ stored: Stored; hashes: ContentHashes; ownObject: boolean }> {
  const store = backendNamed(ports, session.backend)
  const only = parts.length === 1 ? parts[0] : undefined
  if (only !== undefined) {
    return { stored: only.stored, hashes: await rehash(ports, session, only, sha512), ownObject: false }
  }
  const { stored, hashes } = await receive(renewing(ports, session, readParts(ports, session, parts)), {
    store,
    hasher: ports.hasher,
    upload: session.id,
    hash: sha512 ? 'sha512' : 'sha256',
    limit: 0,
    offset: 0,
  })
  if (hashes === null) throw new RegistryError('INTERNAL', 'Joined parts were not hashed.')
  return { stored, hashes, ownObject: true }
}

async function rehash(
  ports: Ports,
  session: UploadSession,
  part: UploadPart,
  sha512: boolean,
): Promise<ContentHashes> {
  if (part.stored.kind === 'inline') return ports.hasher.hashInline(part.stored.bytes, { sha512 })
  using run = ports.hasher.begin({ sha512 })
  const content = readParts(ports, session, [part])
  const cut = pieces(renewing(ports, session, content), { hasher: ports.hasher, run, limit: 0 })
  // Each piece is hashed before the next one is asked for; nothing else is done with it.
  while ((await cut.next()).done !== true);
  return run.finish()
}

/**
 * The bytes of the parts, in order.
 * @throws RegistryError `BLOB_UPLOAD_UNKNOWN` when the session was ended meanwhile, which takes its parts with it;
 * `STORAGE_UNAVAILABLE` when an object is gone or has another size than its row says.
 */
async function* readParts(
  ports: Ports,
  session: UploadSession,
  parts: readonly UploadPart[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const store = backendNamed(ports, session.backend)
  for (const part of parts) {
    if (part.stored.kind === 'inline') {
      yield part.stored.bytes
      continue
    }
    await using reader = await store.open(part.stored.key)
    if (reader === null || reader.size !== part.size) {
      if ((await ports.metadata.findUpload(session.repository.name, session.id)) === null)
        throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload was ended; begin it again.')
      throw damagedPart(
        `${part.stored.key}: ${reader === null ? 'missing' : `${reader.size} bytes instead of ${part.size}`}`,
      )
    }
    let read = 0
    for await (const chunk of reader.chunks) {
      read += chunk.length
      yield chunk
    }
    // The backend's fault, not the client's: a digest over too few bytes would say that the client sent others.
    if (read !== part.size)
      throw damagedPart(`${part.stored.key}: ${read} bytes came instead of ${part.size}`)
  }
}

function damagedPart(cause: string): RegistryError {
  return new RegistryError(
    'STORAGE_UNAVAILABLE',
    'A part of the upload is damaged; begin the upload again.',
    { cause },
  )
}
